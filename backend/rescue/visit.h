/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A doctor's visit to a machine: look, repair, look again. What the command and
 * the console do, done once. After a repair nothing that was read before it counts.
 */
#pragma once

#include "rescue/rescue.h"

struct sw_visit {
	struct sw_machine *m;	/* borrowed */
	const char *disk;	/* the node's, when several have one, or NULL; borrowed */
	bool servers;		/* ask them as well */
	const struct sw_sink *sink;	/* told which is being asked; borrowed; or NULL */
	/* of a repair: told how far it is, and polled until its first write; borrowed; or NULL */
	const struct sw_sink *repairing;
	const struct sw_rescue_image *image;	/* for a slot that is repaired; borrowed; or NULL */
	const struct sw_rescue_inside *inside;	/* an encrypted state; borrowed; or NULL */
	struct sw_facts *f;
	json_object *raw;	/* boot variables, NULL without UEFI */
	struct sw_varstore *vars;	/* borrowed from the machine; NULL without UEFI */
	struct sw_findings found;
	char *told;		/* what a program said that the last repair was left to, or NULL */
};

/* True when a disk holds a node or has a damaged table, or the firmware has an entry of a node. */
bool sw_visit_worth(const struct sw_facts *f);

/* Reads everything, afresh. */
int sw_visit_look(struct sw_visit *v, struct sw_error *err);
/* True when an encrypted state was not looked into. */
bool sw_visit_locked(const struct sw_visit *v);
void sw_visit_clear(struct sw_visit *v);
#define _cleanup_visit_ _cleanup_(sw_visit_clear)

/*
 * Repairs the finding and looks again. save: the new file for undo; "": none is
 * kept; NULL: DIR/doctor-undo-N.json in the machine's run_dir. ret_saved: the file,
 * malloc'd, NULL when none is kept; may be NULL. given: what the repair asks for
 * (enum sw_repair_needs), NULL: nothing; -ENOKEY (exit 2) without it. -ENOENT (exit 2)
 * when there is no such finding, -EOPNOTSUPP (exit 4) without a repair, -EBADMSG (exit 8)
 * when it is still there afterwards, -ECANCELED (exit 130) when v->repairing stopped it before its
 * first write.
 */
int sw_visit_repair(struct sw_visit *v, const char *id, const char *save,
		    const struct sw_secret *given, char **ret_saved, struct sw_error *err);
/*
 * With v->image: makes the repair of this finding, a damaged slot, one that fills it from there.
 * Any other finding is refused (exit 2).
 */
int sw_visit_offer_image(struct sw_visit *v, const char *id, struct sw_error *err);
/* Takes back what the file says and looks again. ret_text: what was taken back, or NULL. */
int sw_visit_undo(struct sw_visit *v, const char *file, char **ret_text, struct sw_error *err);

/* The last repair whose file is in run_dir: {"file", "text"}; NULL: none. */
json_object *sw_visit_last(const struct sw_machine *m);

/*
 * {"healthy", "findings", "node", "servers": they were asked}; new reference, NULL when out of
 * memory.
 */
json_object *sw_visit_to_json(const struct sw_visit *v);
