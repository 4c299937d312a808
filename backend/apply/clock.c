/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/clock.h"

#include <string.h>
#include <strings.h>

#include "admission/token.h"

#define WAIT_S 30U	/* for the server of the payload: a lease may still be on its way */

static int add_server(struct sw_clock_ask *k, const char *url, const char *ca, const char *pin)
{
	const size_t i = k->ask.n_servers;
	struct sw_time_server *s = &k->servers[i];

	if (!url || strncasecmp(url, "https://", 8) != 0 || i >= SW_CLOCK_SERVERS_MAX)
		return 0;
	*s = (struct sw_time_server){ .url = url };
	if (ca && !(k->ca[i] = sw_pem_lines(ca)))
		return -ENOMEM;
	s->trust.ca = k->ca[i];
	/* A pin that is none was refused where answers are checked. */
	if (pin && sw_ca_pin_parse(pin, k->pins[i], NULL) == 0)
		s->trust.pin = k->pins[i];
	k->ask.n_servers++;
	return 0;
}

static int add_payload(struct sw_clock_ask *k, const struct sw_answers *a)
{
	const char *const urls[] = { a->uki, a->kernel, a->initrd, a->rescue, a->ipxe,
				     a->undo_copy };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(urls) && r == 0; i++)
		r = add_server(k, urls[i], urls[i] == a->undo_copy ? NULL : a->payload_ca, NULL);
	if (k->ask.n_servers)
		k->ask.wait_s = WAIT_S;
	return r;
}

static int add_others(struct sw_clock_ask *k, const struct sw_answers *a)
{
	int r = 0;

	for (size_t i = 0; i < a->n_admission && r == 0; i++)
		r = add_server(k, a->admission[i].url, a->admission[i].ca, a->admission[i].pin);
	for (size_t i = 0; i < a->n_webhooks && r == 0; i++)
		r = add_server(k, a->webhooks[i].url, a->webhooks[i].ca, a->webhooks[i].pin);
	return r;
}

int sw_clock_ask_from(const struct sw_answers *a, struct sw_clock_ask *ret_ask)
{
	struct sw_clock_ask *k = ret_ask;
	int r;

	*k = (struct sw_clock_ask){ .ask = { .from = (enum sw_time_from)a->time_from,
					     .ntp = a->ntp, .servers = k->servers } };
	r = add_payload(k, a);
	if (r == 0 && k->ask.n_servers == 0 && sw_time_is_doubtful())
		r = add_others(k, a);
	return r;
}

void sw_clock_ask_clear(struct sw_clock_ask *ask)
{
	for (size_t i = 0; i < SW_CLOCK_SERVERS_MAX; i++)
		free(ask->ca[i]);
}

int sw_clock_settle(struct sw_machine *m, const struct sw_answers *a, const struct sw_sink *sink,
		    struct sw_error *err)
{
	_cleanup_free_ struct sw_clock_ask *k = calloc(1, sizeof(*k));
	int r = k ? sw_clock_ask_from(a, k) : -ENOMEM;

	if (r < 0)
		r = sw_fail_oom(err);
	if (r == 0) {
		k->ask.sink = sink;
		r = sw_time_settle(m, &k->ask, false, NULL, err);
	}
	if (k)
		sw_clock_ask_clear(k);
	return r;
}
