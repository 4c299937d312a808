/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of who is told and what follows an install: fields.c takes them into its array. */
#ifndef SW_IN_FIELD_TABLE
#error "only for the field table"
#endif
#pragma once

	{ .key = "report.log", .passing = true,
	  .label = N_("Log file"), .type = SW_FIELD_TEXT, AT(report_log),
	  .max = 1024, .check = check_log,
	  .help = N_("A file that gets a line for each event of an install, at its end. It is "
		  "made when it is not there, the folder is not."),
	  .example = "/run/install.log" },
	{ .key = "report.syslog", .passing = true,
	  .label = N_("Syslog server"), .type = SW_FIELD_LIST,
	  AT(report_syslog), .max = 300, .check = check_syslog,
	  .help = N_("Servers that get each event as a syslog message (RFC 5424): udp://HOST or "
		  "tcp://HOST, with :PORT when it is not 514 or 601. Neither is encrypted, and no "
		  "secret is in an event."),
	  .example = "udp://log.example" },
	{ .key = "report.webhooks.url", .passing = true,
	  .label = N_("Webhook"), .type = SW_FIELD_URL,
	  IN_WEBHOOK(url), .max = 1000, .check = check_webhook_url,
	  .help = N_("The https address that gets a POST for each event. A redirect is not "
		  "followed, and no failure of it stops an install."),
	  .example = "https://events.example/slipway" },
	{ .key = "report.webhooks.ca", .passing = true,
	  .label = N_("Webhook's CA"), .type = SW_FIELD_CERTIFICATE,
	  IN_WEBHOOK(ca), .max = 8192,
	  .help = N_("The certificate, as PEM, of the CA that signed the receiver's: then no other "
		  "CA is believed. Without it and the pin any CA that the system trusts."),
	  .example = "-----BEGIN CERTIFICATE----- MIIB... -----END CERTIFICATE-----" },
	{ .key = "report.webhooks.pin", .passing = true,
	  .label = N_("Webhook's key"), .type = SW_FIELD_TEXT,
	  IN_WEBHOOK(pin), .max = 71, .check = check_admission_pin,
	  .help = N_("The SHA-256 of the receiver's public key, behind sha256: as for "
		  "admission.pin."),
	  .example = "sha256:" HEX_B },
	{ .key = "report.webhooks.token", .passing = true,
	  .label = N_("Webhook's token"), .type = SW_FIELD_URL,
	  IN_WEBHOOK(token), .max = 2000, .local = true,
	  .help = N_("A file whose text proves to the receiver who we are (a bearer token): /path, "
		  "file:///path or medium:/path. Never the token itself."),
	  .example = "medium:/events.token" },
	{ .key = "report.webhooks.events", .passing = true,
	  .label = N_("Webhook's events"), .type = SW_FIELD_LIST,
	  IN_WEBHOOK(events), .max = 16, .check = check_event,
	  .help = N_("What the receiver is told of: started, progress, waiting (for a person to "
		  "answer what was left to ask), succeeded, failed. Without it: all."),
	  .example = "failed" },
	{ .key = "report.webhooks.body", .passing = true,
	  .label = N_("Webhook's text"), .type = SW_FIELD_TEXT,
	  IN_WEBHOOK(body), .max = 4096, .check = check_body,
	  .help = N_("What is sent in place of slipway's own JSON object. ${event}, ${hostname}, "
		  "${title}, ${code}, ${text} and the others of slipway(8) stand for their "
		  "values, escaped for a JSON string."),
	  .example = "{\"text\": \"${hostname}: ${text}\"}" },

	{ .key = "finish", .passing = true,
	  .label = N_("When done"), .type = SW_FIELD_CHOICE, AT(finish),
	  .choices = finish_choices, .required = always,
	  .help = N_("What the machine does after a successful install. kexec: the kernel of "
		  "slipway starts the node's at once, without the firmware: that its boot entries "
		  "work is seen at the next restart."),
	  .example = "reboot",
	  .dflt = "reboot" },
	{ .key = "on-error.action", .passing = true,
	  .label = N_("On a failure"), .type = SW_FIELD_CHOICE, AT(on_error),
	  .choices = on_error_choices, .stands_for = "on-error",
	  .help = N_("What the machine does after an unattended install that has failed: stay (as "
		  "if unsaid), restart, which tries again, power off, or open a rescue shell. May "
		  "be written as on-error: reboot."),
	  .example = "reboot" },
	{ .key = "on-error.pause", .passing = true,
	  .label = N_("Pause before that"), .type = SW_FIELD_TEXT, AT(on_error_pause),
	  .max = 4, .applies = goes_on, .check = check_pause,
	  .help = N_("How many seconds that waits, in which any key stops it; 60 when it is not "
		  "given, at most 3600. Up to half more is added by chance, so that a hall does "
		  "not come back at once."),
	  .example = "300" },
	{ .key = "reinstall", .passing = true,
	  .label = N_("Install again"), .type = SW_FIELD_CHOICE, AT(reinstall),
	  .choices = reinstall_choices,
	  .help = N_("Whether an unattended install of just these answers, done already, is done "
		     "again at each start of the medium: once (also without this key) starts the "
		     "node instead."),
	  .example = "once" },
