/* SPDX-License-Identifier: Apache-2.0 */
/* Inside backend/machine/ only: what a kind of machine provides, and the parts that they share. */
#pragma once

#include "machine/iso.h"
#include "machine/machine.h"
#include "machine/sysdir.h"

/* One table a kind; machine.c picks by m->kind, so a test can fill a struct sw_machine by hand. */
struct sw_machine_ops {
	/* Name, DMI, firmware, boot id, memory. Missing things stay NULL; only -ENOMEM fails. */
	int (*identity)(struct sw_machine *m, struct sw_facts *f);
	/* Appends disks with everything but what a look inside tells. */
	int (*disks)(struct sw_machine *m, struct sw_facts *f);
	int (*links)(struct sw_machine *m, struct sw_facts *f);
	int (*tcti)(struct sw_machine *m, struct sw_error *err);	/* makes m->tcti answer */
	int (*vars)(struct sw_machine *m, struct sw_varstore **ret_vars, struct sw_error *err);
	int (*settle)(struct sw_machine *m, const struct sw_disk *d);
	/* malloc'd directory with the content of the medium */
	int (*medium)(struct sw_machine *m, char **ret_dir, struct sw_error *err);
	int (*power)(struct sw_machine *m, enum sw_power what, struct sw_error *err);
	int (*load)(struct sw_machine *m, int kernel_fd, int initrd_fd, const char *cmdline,
		    struct sw_error *err);
	void (*close)(struct sw_machine *m);
};

extern const struct sw_machine_ops sw_machine_real_ops;
extern const struct sw_machine_ops sw_machine_standin_ops;
extern const struct sw_machine_ops sw_machine_captured_ops;

/* The kind's table. */
const struct sw_machine_ops *sw_machine_ops_of(const struct sw_machine *m);

/*
 * Collection for every kind but captured. With want: as sw_machine_facts_only(),
 * without: everything.
 */
int sw_facts_collect(struct sw_machine *m, bool (*want)(const struct sw_disk *d, void *arg),
		     void *arg, struct sw_facts **ret_facts, struct sw_error *err);
/* Adds a zeroed disk and returns it, NULL when out of memory. */
struct sw_disk *sw_facts_add_disk(struct sw_facts *f);
/* Adds a note; formatting as printf. */
int sw_facts_note(struct sw_facts *f, const char *fmt, ...) SW_PRINTF(2, 3);
/* Adds a line to the reasons why the disk must not be touched. */
int sw_disk_add_use(struct sw_disk *d, const char *fmt, ...) SW_PRINTF(2, 3);

/*
 * Looks inside: tables, signatures, whether it is the medium, whether the kernel
 * has claimed it. What cannot be read becomes a use; only -ENOMEM fails. want:
 * which of them, NULL: all; called from several threads.
 */
int sw_disks_inspect(struct sw_machine *m, struct sw_disk *disks, size_t n,
		     bool (*want)(const struct sw_disk *d, void *arg), void *arg);

/*
 * Fills paths of disks that are one and the same, and lets what is said of one
 * path (medium, uses) hold for the others.
 */
int sw_disks_mark_paths(struct sw_facts *f);

/*
 * Fills health and health_text of disks that can tell: from smartctl, or from
 * the recorded answer of a stand-in. Only -ENOMEM fails.
 */
int sw_disks_health(const struct sw_machine *m, struct sw_facts *f);

/* ---- real ---- */

/* Why the kernel will start no other one, by what /proc and /sys say; malloc'd or NULL. */
char *sw_kexec_barrier(const struct sw_machine *m);
int sw_kexec_load_real(struct sw_machine *m, int kernel_fd, int initrd_fd, const char *cmdline,
		       struct sw_error *err);
/* Keeps what was to be loaded in DIR/run/kexec/. */
int sw_kexec_load_standin(struct sw_machine *m, int kernel_fd, int initrd_fd, const char *cmdline,
			  struct sw_error *err);

/* Walks sys_root/block. */
int sw_disks_sysfs(struct sw_machine *m, struct sw_facts *f);

/* What carries a disk that is marked as medium (an ISO file on a stick) is the medium as well. */
int sw_disks_trace_medium(const struct sw_machine *m, struct sw_facts *f);
/* Adds a use to every disk below the running system that has none yet, whatever lies between. */
int sw_disks_trace_system(const struct sw_machine *m, struct sw_facts *f);
/* Leaves the read-only loop devices out. */
void sw_disks_drop_images(struct sw_facts *f);

/*
 * Serial, WWN, model, vendor, transport and by-path name of the disk whose directory
 * is open as dir; path is where it is. loop_file: behind a loop device, or NULL.
 */
int sw_disk_identify(const struct sw_machine *m, const char *path, const struct sw_sysdir *dir,
		     const char *loop_file, struct sw_disk *d);

/* The number of "/dev/NAME", or of what that links to, from sysfs. -ENODEV for any other word. */
int sw_source_number(const struct sw_machine *m, const char *source, unsigned int *ret_major,
		     unsigned int *ret_minor);

/* What the kernel uses, by device number. */
struct sw_busy;
int sw_busy_read(const struct sw_machine *m, struct sw_busy **ret_busy);
struct sw_busy *sw_busy_free(struct sw_busy *b);
SW_DEFINE_CLEANUP(struct sw_busy, sw_busy_free)
/*
 * Adds the uses of one device (the disk or a partition): mounts, swap, and who
 * holds it, followed to the top of the stack.
 */
int sw_busy_check(const struct sw_busy *b, const struct sw_sysdir *dir, const char *name,
		  struct sw_disk *d);


/* Mounts the medium below run_dir, or finds it mounted there already. */
int sw_medium_mount(struct sw_machine *m, char **ret_dir, struct sw_error *err);
void sw_medium_unmount(struct sw_machine *m);

/* The run directory of this user: /run/slipway, or below XDG_RUNTIME_DIR; made with mode 0700. */
int sw_run_dir_new(char **ret_dir, struct sw_error *err);

/* ---- stand-in ---- */

struct sw_standin_item {
	char *name, *serial, *model, *vendor, *wwn, *transport, *path, *image;
	char *health;	/* file with a recorded answer of smartctl, or NULL */
	uint64_t size;
	uint32_t sector;
	bool medium, removable, rotational, read_only;
};

/* machine.yaml as read. */
struct sw_standin {
	char *name;
	bool bios, tpm;
	uint64_t memory;
	struct sw_standin_item *disks;
	size_t n_disks;
	int tpm_pid;		/* of the swtpm that we started, 0: none */
	int owner;		/* pid of the process that started it */
};

int sw_standin_load(const char *path, struct sw_standin **ret_standin, struct sw_error *err);
struct sw_standin *sw_standin_free(struct sw_standin *s);
SW_DEFINE_CLEANUP(struct sw_standin, sw_standin_free)

/* Starts swtpm for DIR unless one answers already. */
int sw_standin_tpm_start(struct sw_machine *m, struct sw_error *err);
void sw_standin_tpm_stop(struct sw_machine *m);

/* Makes sw_wall_ms() show what its clock shows: that of the system when nothing else was set. */
void sw_standin_clock_read(const struct sw_machine *m);

/* The first content of the variable store. */
int sw_standin_write_vars(const char *dir, bool medium, struct sw_error *err);
