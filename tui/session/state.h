/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session knows. Views change it; what they cannot do themselves
 * without waiting (looking at the machine, planning, applying, saving) they ask
 * for in `want`, and the session process answers through sw_state_got_*().
 * So everything here runs in a test without a machine, a process or a terminal.
 */
#pragma once

#include "answers/answers.h"
#include "apply/apply.h"
#include "apply/wipe.h"
#include "boot/lastfail.h"
#include "tui/session/progress.h"
#include "tui/session/view.h"

/*
 * What a session is asked for, a bit each. The order counts for nothing, and no two share one.
 */
#define SW_WANTS(X) \
	X(FACTS) /* facts and journals */ \
	X(PLAN) \
	X(APPLY) /* the plan */ \
	X(RESUME) /* s->journal */ \
	X(UNDO) /* s->journal */ \
	X(CANCEL) /* what is running */ \
	X(SAVE) /* save_path, save_text */ \
	X(REBOOT) \
	X(POWEROFF) \
	X(KEXEC) /* start the node without the firmware */ \
	X(WIPE_PLAN) /* what wiping s->wipe.disk would do */ \
	X(WIPE) \
	X(WIPE_REPORT) /* the report of the wipe that has ended */ \
	X(SWITCH) /* look from where the machine starts */ \
	X(SWITCH_SET) /* carry out boot_choice */ \
	X(DOCTOR) /* look for what is wrong */ \
	X(DOCTOR_STOP) /* that look, before its end */ \
	X(DOCTOR_REPAIR) /* the finding doctor_arg */ \
	X(DOCTOR_REPAIR_STOP) /* that repair, unless it has begun to write */ \
	X(DOCTOR_UNDO) /* the repair of the file doctor_arg */ \
	X(STATUS) /* what is installed, and why this system runs */ \
	X(NETWORK) /* routes and name servers */ \
	X(REACH) /* whether reach_url answers */ \
	X(PREFLIGHT) /* whether the answers' server would admit us */ \
	X(NETTEST) /* whether the network is enough for the answers */ \
	X(RESTART) /* what a restart can be told */ \
	X(RESTART_TO) /* restart_to, then the restart itself */ \
	X(ADMIT) /* have this machine admitted, with s->tokens */ \
	X(TOOL) /* what s->tool.look asks for */ \
	X(TOOL_STOP) /* that look, before its end */ \
	X(TOOL_DO) /* what s->tool.todo says, which writes */ \
	X(TOOL_DO_STOP) /* at the next place where that can be left */ \
	X(SHELL) /* a shell: what has to come before it */ \
	X(STATE_SHELL) /* one in the node's state, as s->state_shell says */ \
	X(SHELL_OPEN) /* the shell itself, on the console with the pen */ \
	X(WAITS) /* tell that a person is waited for, or is no more */ \
	X(TELL) /* that an unattended install failed before it began */ \
	X(PAUSE) /* what is running; or, when it does pause, that it goes on */
#define SW_WANT_BIT(name) SW_WANT_BIT_##name,
#define SW_WANT_VALUE(name) SW_WANT_##name = 1ULL << SW_WANT_BIT_##name,
enum { SW_WANTS(SW_WANT_BIT) SW_N_WANTS };
enum { SW_WANTS(SW_WANT_VALUE) };
#undef SW_WANT_BIT
#undef SW_WANT_VALUE
_Static_assert(SW_N_WANTS <= 64, "the wants fit a uint64_t");

#define SW_MAX_FIELDS 128u
#define SW_ITEMS_MAX 16u		/* of a list of the answers that a form is about */
#define SW_MAX_LAYOUTS 32u

enum sw_phase { SW_PHASE_ASKING, SW_PHASE_RUNNING, SW_PHASE_DONE, SW_PHASE_FAILED };
enum sw_work { SW_WORK_INSTALL, SW_WORK_RESUME, SW_WORK_UNDO, SW_WORK_WIPE };

/* What a look at something found, and what it is doing. */
enum sw_look_kind { SW_LOOK_STATUS, SW_LOOK_NETWORK, SW_LOOK_REACH, SW_LOOK_PREFLIGHT,
		    SW_LOOK_NETTEST, SW_LOOK_ADMIT, SW_LOOK_RESTART, SW_LOOK_TOOL, SW_LOOK_TOOL_DO,
		    SW_N_LOOKS };

/* Where a restart goes: one of these, or the number of a boot entry. */
enum { SW_RESTART_MEMTEST = -3, SW_RESTART_PLAIN = -2, SW_RESTART_SETUP = -1 };

struct sw_look {
	json_object *found;	/* NULL until known */
	struct sw_error error;	/* the last look failed */
	struct sw_buf told;	/* lines, while it is pending */
	uint64_t done, size;	/* bytes of the step that goes on; size 0: not known */
	bool pending;
};

struct sw_state {
	struct sw_view *top;
	uint64_t want;	/* taken and emptied by the session after each request */
	bool quit;		/* the session is to end */
	bool can_quit;		/* false where it would only be restarted */
	bool unattended;
	int64_t now_ms;		/* monotonic; set by the session */
	char notice[256];	/* one line for the person */
	bool bell;
	bool refused;		/* what the notice says */

	struct sw_facts *facts;	/* NULL until known */
	struct sw_error facts_error;
	bool facts_pending;
	struct sw_journal_info *journals;
	size_t n_journals;
	const struct sw_journal_info *journal;	/* the one chosen; within journals */
	bool journal_seen;	/* the person was told */

	struct sw_answers *answers;
	char **dropped;		/* of them, when no disk was chosen: sw_answers_drop_disk() */
	/* what was typed and not yet taken, by index of sw_fields */
	char *drafts[SW_ITEMS_MAX][SW_MAX_FIELDS];	/* by item of a list; [0]: all else */
	size_t item;		/* of a list of the answers, for the form that is opened next */
	struct sw_layout *layouts[SW_MAX_LAYOUTS];	/* the shipped ones */
	size_t n_layouts;

	struct sw_plan *plan;
	unsigned int plan_count;	/* how many were made: tells this one from an earlier */
	struct sw_error plan_error;
	bool plan_pending;
	bool plan_to_see;	/* it is shown beside a countdown; nothing starts with it */

	enum sw_phase phase;
	enum sw_work work;
	uint64_t without;	/* an undo: the disks that it leaves out */
	struct sw_progress run;
	struct sw_error failure;
	char failure_code[SW_FAILURE_CODE];	/* or "" */
	/* Of answers that cannot be used, until that is told; borrowed; NULL: of a plan. */
	const struct sw_rest *rest;
	bool telling;		/* who is to be told of the failure is being told */
	/* What an unattended install waits for a person to answer, for those who are told of it. */
	struct {
		char *keys;	/* "disk.match.serial, node.hostname"; NULL: nothing ever */
		bool over;	/* it does no more */
		int result;	/* then 0: answered, or -ECANCELED: stopped */
		unsigned int told;	/* 1: that it waits; 2: that it does no more, too */
		bool telling;
	} asked;
	bool paused;		/* what runs was asked to wait */
	char paused_by[64];	/* the console where that was asked, or "" */

	json_object *boot_switch;	/* what sw_switch_job() found; NULL until known */
	struct sw_error boot_switch_error;	/* the last look or switch failed */
	bool boot_switch_pending;
	char boot_choice[16];	/* the "id" of the choice to carry out */

	/* A disk that is to be wiped, or was. */
	struct {
		char *disk, *serial;	/* its name and serial; NULL: none was chosen */
		char digest[65];	/* of its table as the person saw it */
		enum sw_wipe_method method;
		json_object *plan;	/* "text", "confirm"; NULL until it was made */
		bool pending;
		struct sw_error error;
		json_object *report;	/* NULL: none */
	} wipe;
	json_object *doctor;	/* what sw_doctor_job() found; NULL until known */
	struct sw_error doctor_error;	/* the last look, repair or undo failed */
	bool doctor_pending, doctor_writing, doctor_fresh;
	bool doctor_may_stop;	/* the repair that is pending has written nothing yet */
	bool doctor_servers;	/* the look that is pending asks them as well */
	char doctor_told[256];	/* what it is doing, or "" */
	uint64_t doctor_done, doctor_size;	/* bytes of that; size 0: nobody knows */
	json_object *doctor_image;	/* what fills a slot (doctor-job.h), or NULL */
	bool doctor_opens;	/* the finding doctor_arg is opened when the look has ended */
	char doctor_arg[256];	/* the finding's "id", or the undo file */
	struct sw_secret *doctor_given;	/* typed for its repair; forgotten when that has ended */
	bool doctor_open;	/* an encrypted state is looked into, until its screen is left */
	struct sw_secret *doctor_key;	/* typed for that; NULL: the TPM's */

	struct sw_look looks[SW_N_LOOKS];
	/* Typed, by kind of admission; forgotten when the admission has ended. */
	struct sw_secret *tokens[SW_N_ADMISSION_KINDS];
	/* The console's tools (session/tool-job.h): one looks at a time, one writes at a time. */
	struct {
		json_object *look, *todo;	/* requests; NULL: none yet */
		json_object *next;	/* for the screen that is opened next; NULL: its own */
		unsigned int id, done;	/* counted: looks begun, and what was written */
		struct sw_secret *passphrase;	/* typed; NULL: none */
	} tool;
	char *reach_url;	/* to be tried, or tried last; NULL: none */
	int restart_to;
	bool has_shell;		/* there is one on this system */
	unsigned int state_shell;	/* flags of the one in the state: tui/session/wire.h */

	bool hurry;		/* keys come faster than the pen's terminal shows what they do */
	bool pen_serial;	/* the console with the pen is a serial line; set by the server */
	bool pen_utf8;		/* it says that it shows UTF-8; the same */
	char pen_name[64];	/* the console that the request comes from, or ""; the same */
	char *save_path, *save_text;
	bool saves_answers;	/* the text is that of an answer file */
	const struct sw_disk *looking_at;	/* by the details screen, while it opens */
	struct sw_ask {
		const char *question, *yes;
		/* in place of question, when it changes while it is asked */
		const char *(*question_now)(const struct sw_state *s);
		uint64_t want;
		bool quit;
	} ask;
	char *run_dir;		/* where the log is */
	char *countdown_text;
	bool starting_node;	/* its next boot is being set, then the machine restarts */
	/* Unattended, and the disks are still coming or none fits yet. */
	bool waiting, settled, none_fits;
	int64_t wait_ms;	/* until when that is waited for; 0: not begun */
	int64_t look_ms;	/* when to look again */
	int64_t deadline_ms;	/* of the countdown on the screen; 0: none */
	unsigned int seconds_left;
};

/* answers: a copy is taken over by the state; NULL: the defaults. run_dir may be NULL. */
struct sw_state *sw_state_new(struct sw_answers *answers, const char *run_dir);
struct sw_state *sw_state_free(struct sw_state *s);
SW_DEFINE_CLEANUP(struct sw_state, sw_state_free)
#define _cleanup_state_ _cleanup_(sw_state_freep)

void sw_state_notice(struct sw_state *s, const char *fmt, ...) SW_PRINTF(2, 3);
/* A notice for something refused: rings the bell too. */
void sw_state_refuse(struct sw_state *s, const char *fmt, ...) SW_PRINTF(2, 3);

/* ---- answers from the session process ---- */

/* Takes facts and journals over. */
void sw_state_got_facts(struct sw_state *s, struct sw_facts *f, struct sw_journal_info *infos,
			size_t n);
void sw_state_facts_failed(struct sw_state *s, const struct sw_error *err);
void sw_state_got_plan(struct sw_state *s, struct sw_plan *p);
void sw_state_plan_failed(struct sw_state *s, const struct sw_error *err);
/* Takes what a look or a switch found; tells when something was written. */
void sw_state_got_switch(struct sw_state *s, json_object *found);
void sw_state_switch_failed(struct sw_state *s, const struct sw_error *err);
void sw_state_got_wipe(struct sw_state *s, json_object *found);
void sw_state_wipe_failed(struct sw_state *s, const struct sw_error *err);
/* Takes what a look, a repair or an undo found. */
void sw_state_got_doctor(struct sw_state *s, json_object *found);
void sw_state_doctor_failed(struct sw_state *s, const struct sw_error *err);
/* A repair or an undo has begun; until something is written, a repair can be stopped. */
void sw_state_doctor_writes(struct sw_state *s, bool repair);
/* What it tells while it works. */
void sw_state_doctor_told(struct sw_state *s, const struct sw_event *ev);
/* Looks for what is wrong, and asks the node's servers too; or ends that look. */
void sw_state_want_doctor(struct sw_state *s, bool servers);
/* Looks how a slot would be filled from this image, and opens its finding; NULL: no image. */
void sw_state_want_image(struct sw_state *s, json_object *image);
/*
 * Looks into an encrypted state as well, by this key (taken over; NULL: the TPM's), which later
 * looks use, too; until sw_state_close_inside(), or until it opens nothing.
 */
void sw_state_look_inside(struct sw_state *s, struct sw_secret *key);
/* Forgets the key; a look that uses it is begun anew without it. */
void sw_state_close_inside(struct sw_state *s);
/* True when the last look has left out an encrypted state, so that all else is what it knows. */
bool sw_state_node_is_closed(const struct sw_state *s);
/* Ends a look; asks a repair to stop, which then says whether it did. */
void sw_state_stop_doctor(struct sw_state *s);
/* As one that nobody has begun. */
void sw_state_look_clear(struct sw_look *l);
/* Begins a look, which the session carries out; the error of the last one is forgotten. */
void sw_state_want_look(struct sw_state *s, enum sw_look_kind kind);
/* Takes what a look found. */
void sw_state_got_look(struct sw_state *s, enum sw_look_kind kind, json_object *found);
void sw_state_look_failed(struct sw_state *s, enum sw_look_kind kind, const struct sw_error *err);
/* What it tells while it works. */
void sw_state_look_told(struct sw_state *s, enum sw_look_kind kind, const struct sw_event *ev);
/* Ends the look of a tool that is pending. */
void sw_state_stop_tool(struct sw_state *s);
/* Asks what a tool writes to stop, which then says whether it did. */
void sw_state_stop_writing(struct sw_state *s);
/* Begins a look of a tool; takes request. The number of the look, which the last one has. */
unsigned int sw_state_want_tool(struct sw_state *s, json_object *request);
/* What is written when SW_WANT_TOOL_DO comes; takes request. */
void sw_state_tool_todo(struct sw_state *s, json_object *request);
/* Forgets the tokens that were typed. */
void sw_state_clear_tokens(struct sw_state *s);
/* The work could not even start. */
void sw_state_work_failed(struct sw_state *s, const struct sw_error *err);
/* The answers of an unattended install cannot be used: what on-error says is counted down to. */
void sw_state_answers_failed(struct sw_state *s, const struct sw_error *err,
			     const struct sw_rest *rest);
/* What failed is in the state already. */
void sw_state_show_failure(struct sw_state *s);
/* An unattended install waits for a person; and waits no more, result as in asked. */
void sw_state_waits(struct sw_state *s);
void sw_state_waits_no_more(struct sw_state *s, int result);
/* One of both was told, or could not be. */
void sw_state_wait_told(struct sw_state *s);
/* A failure was told, or could not be. */
void sw_state_told(struct sw_state *s);
/* What an unattended install had to ask was answered. */
void sw_state_asked(struct sw_state *s);
/* True when the event is worth a frame at once, false when it can wait for the next tick. */
bool sw_state_event(struct sw_state *s, const struct sw_event *ev);
/* The events have ended; exit: the child's status, or -1 when a signal ended it. */
void sw_state_ended(struct sw_state *s, int exit);
#define SW_FINISH_SECONDS 10	/* an unattended machine waits this long before it does `finish` */
/* The plan of the install that runs, begun or resumed by this session; NULL when there is none. */
const struct sw_plan *sw_state_doing(const struct sw_state *s);
/* The plan of the node that was installed last, or NULL. */
const struct sw_plan *sw_state_installed(const struct sw_state *s);
/* The node cannot be started from here: that is said, and an unattended machine restarts. */
void sw_state_kexec_failed(struct sw_state *s, const struct sw_error *err);
/* Time has passed; true when something on the screen changes. */
bool sw_state_tick(struct sw_state *s, int64_t now_ms);

/* ---- what several screens need ---- */

/* Forgets all that was typed and not taken. */
void sw_state_clear_drafts(struct sw_state *s);
/* Whether anything was typed and not taken of this item of a list of the answers. */
bool sw_state_has_drafts(const struct sw_state *s, enum sw_field_home home, size_t i);
/* Takes the item out of the answers, with what was typed of it; those behind it move up. */
void sw_state_drop_item(struct sw_state *s, enum sw_field_home home, size_t i);
/* The layout that the answers name, among the shipped ones; NULL: none of them. */
const struct sw_layout *sw_state_layout(const struct sw_state *s);
/* The shipped layout whose state a TPM opens; proposed where sw_state_can_encrypt(). */
#define SW_LAYOUT_ENCRYPTED "encrypted"
/* Whether that layout is on offer, and the machine has a TPM for it. */
bool sw_state_can_encrypt(const struct sw_state *s);
/* Chooses the disk to wipe; -ENOMEM. */
int sw_state_wipe_choose(struct sw_state *s, const struct sw_disk *d);
void sw_state_wipe_clear(struct sw_state *s);
/* The disk chosen, among those of the facts; NULL: it is gone, or another by now. */
const struct sw_disk *sw_state_wipe_disk(const struct sw_state *s);
/* Starts planning anew. */
void sw_state_want_plan(struct sw_state *s);
void sw_state_start(struct sw_state *s, enum sw_work work);
