/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/tpm.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "tpm/tss2.h"

/* Shared by the asker and the thread; the last one to leave frees it. */
struct query {
	pthread_mutex_t lock;
	bool abandoned, finished;
	char *tcti;
	TSS2_RC rc;
	struct sw_tpm_info info;
};

void sw_tpm_info_clear(struct sw_tpm_info *i)
{
	free(i->version);
	free(i->vendor);
	*i = (struct sw_tpm_info){};
}

static void query_free(struct query *q)
{
	sw_tpm_info_clear(&q->info);
	pthread_mutex_destroy(&q->lock);
	free(q->tcti);
	free(q);
}

/* Properties hold text as four big-endian bytes, padded with NUL or blanks. */
static char *property_text(const TPML_TAGGED_TPM_PROPERTY *list, TPM2_PT which)
{
	for (UINT32 i = 0; i < list->count; i++) {
		UINT32 v = list->tpmProperty[i].value;
		char text[5] = { (char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v, 0 };

		if (list->tpmProperty[i].property == which)
			return strdup(sw_text_clean(text));
	}
	return NULL;
}

static TSS2_RC ask(ESYS_CONTEXT *esys, struct sw_tpm_info *ret_info)
{
	TPMS_CAPABILITY_DATA *data = NULL;
	TPMI_YES_NO more;
	TSS2_RC rc = Esys_GetCapability(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
					TPM2_CAP_TPM_PROPERTIES, TPM2_PT_FIXED, 16, &more, &data);

	if (rc != TSS2_RC_SUCCESS)
		return rc;
	ret_info->version = property_text(&data->data.tpmProperties, TPM2_PT_FAMILY_INDICATOR);
	ret_info->vendor = property_text(&data->data.tpmProperties, TPM2_PT_MANUFACTURER);
	Esys_Free(data);
	return rc;
}

static void *run(void *arg)
{
	struct query *q = arg;
	TSS2_TCTI_CONTEXT *tcti = NULL;
	ESYS_CONTEXT *esys = NULL;
	struct sw_tpm_info info = {};
	TSS2_RC rc = Tss2_TctiLdr_Initialize(q->tcti, &tcti);
	bool abandoned;

	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_Initialize(&esys, tcti, NULL);
	if (rc == TSS2_RC_SUCCESS)
		rc = ask(esys, &info);
	if (esys)
		Esys_Finalize(&esys);
	if (tcti)
		Tss2_TctiLdr_Finalize(&tcti);
	pthread_mutex_lock(&q->lock);
	q->info = info;
	q->rc = rc;
	q->finished = true;
	abandoned = q->abandoned;
	pthread_mutex_unlock(&q->lock);
	if (abandoned)
		query_free(q);
	return NULL;
}

static int start(struct query *q, pthread_t *ret_thread)
{
	sigset_t all, old;
	int r;

	/* The program's signals are not this thread's business. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(ret_thread, NULL, run, q);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -r;
}

/* True when the thread came back in time; otherwise it is left to free the query itself. */
static bool wait_for(struct query *q, pthread_t thread, unsigned int timeout_s)
{
	struct timespec end;
	bool finished;

	/* Not by the wall clock: an install may set that meanwhile, by years. */
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += timeout_s;
	if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &end) == 0)
		return true;
	pthread_mutex_lock(&q->lock);
	finished = q->finished;
	q->abandoned = !finished;
	pthread_mutex_unlock(&q->lock);
	if (finished)
		pthread_join(thread, NULL);
	else
		pthread_detach(thread);
	return finished;
}

static int conclude(struct query *q, struct sw_tpm_info *ret_info, struct sw_error *err)
{
	bool io = q->rc == TSS2_TCTI_RC_IO_ERROR;
	int r = 0;

	if (q->rc == TSS2_RC_SUCCESS) {
		*ret_info = q->info;
		q->info = (struct sw_tpm_info){};
	} else {
		r = sw_fail(err, SW_EXIT_MISSING, io ? -ENODEV : -EIO, "the TPM cannot be asked");
		sw_error_why(err, "%s", Tss2_RC_Decode(q->rc));
	}
	query_free(q);
	return r;
}

int sw_tpm_query(const char *tcti, unsigned int timeout_s, struct sw_tpm_info *ret_info,
		 struct sw_error *err)
{
	int r = sw_tss2_open(err);
	struct query *q = r < 0 ? NULL : calloc(1, sizeof(*q));
	pthread_t thread;

	if (r < 0)
		return r;
	if (!q)
		return sw_fail_oom(err);
	pthread_mutex_init(&q->lock, NULL);
	q->tcti = strdup(tcti);
	r = q->tcti ? start(q, &thread) : -ENOMEM;
	if (r < 0) {
		query_free(q);
		return sw_fail_errno(err, SW_EXIT_INTERNAL, r, "cannot ask the TPM");
	}
	if (wait_for(q, thread, timeout_s))
		return conclude(q, ret_info, err);
	r = sw_fail(err, SW_EXIT_MISSING, -ETIMEDOUT, "the TPM does not answer");
	sw_error_why(err, "nothing came back within %u seconds", timeout_s);
	return r;
}
