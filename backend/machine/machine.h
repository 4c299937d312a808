/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam: every way out of the process. The same code runs on the real
 * machine, on a stand-in (a directory with disk images, a variable store and a
 * software TPM) and, read-only, on captured facts.
 */
#pragma once

#include "base/event.h"
#include "base/io.h"
#include "machine/facts.h"

struct sw_varstore;
struct sw_standin;

enum sw_machine_kind { SW_MACHINE_REAL, SW_MACHINE_STANDIN, SW_MACHINE_CAPTURED };

struct sw_machine {
	enum sw_machine_kind kind;
	char *dir;		/* stand-in directory, else NULL */
	char *sys_root;		/* "/sys" */
	char *dev_root;		/* "/dev" */
	char *proc_root;	/* "/proc" */
	char *udev_root;	/* "/run/udev": its database, read only */
	char *run_dir;		/* sockets, logs, work files: "/run/slipway" or DIR/run */
	char *networkd;		/* "/run/systemd": network/ for its files, netif/ by it; or NULL */
	char *stub;		/* systemd's EFI stub */
	char *tcti;		/* TCTI string for ESAPI, NULL: none */
	char *medium;		/* UUID of the iso9660 file system we were started from, or NULL */
	struct sw_varstore *vars;	/* opened on first use; use sw_machine_vars() */
	json_object *captured;	/* CAPTURED only: the file, which is valid */
	struct sw_facts *captured_facts;	/* read from it, for who asks first; or NULL */
	struct sw_standin *standin;	/* STANDIN only: machine.yaml and the TPM process */
	char *medium_dir;	/* where this process mounted the medium, or NULL */
	/* Tests stand here between slipway and a disk that it opens for writing. */
	void (*wrap_disk)(struct sw_machine *m, const struct sw_disk *d, struct sw_io **io);
	void *wrap_userdata;
};

int sw_machine_open_real(struct sw_machine **ret_machine, struct sw_error *err);
int sw_machine_open_standin(const char *dir, struct sw_machine **ret_machine, struct sw_error *err);
int sw_machine_open_captured(const char *facts_json, struct sw_machine **ret_machine,
			     struct sw_error *err);
struct sw_machine *sw_machine_free(struct sw_machine *m);
SW_DEFINE_CLEANUP(struct sw_machine, sw_machine_free)
#define _cleanup_machine_ _cleanup_(sw_machine_freep)

/* Reads everything afresh; changes nothing. */
int sw_machine_facts(struct sw_machine *m, struct sw_facts **ret_facts, struct sw_error *err);

/*
 * What a run needs to look at again: the disks for which want() is true are read
 * afresh with all that is on them, the others only named (identity and uses, no
 * table), and the boot variables. No TPM, no links. want() is asked before a
 * disk was opened: it can go by node, serial, wwn and diskseq.
 */
int sw_machine_facts_only(struct sw_machine *m, bool (*want)(const struct sw_disk *d, void *arg),
			  void *arg, struct sw_facts **ret_facts, struct sw_error *err);

/*
 * Only which machine this is: its name, DMI, boot id, memory and network cards. No disk is
 * looked at.
 */
int sw_machine_identity(struct sw_machine *m, struct sw_facts **ret_facts, struct sw_error *err);

/*
 * Whether all disks have come that will come by themselves. The medium notes it when
 * udev's queue is empty and nothing was added for two seconds; other systems that
 * slipway runs on have long been up.
 */
bool sw_machine_is_settled(const struct sw_machine *m);

/*
 * Where the credential of this name is that the machine was started with: systemd puts them into
 * files when it is the first process, else QEMU's fw_cfg has it; a stand-in's are in its run_dir.
 * malloc'd. -ENOENT: in neither; -ENOMEM.
 */
int sw_machine_credential(const struct sw_machine *m, const char *name, char **ret_path);

/* The EFI variable store; borrowed. -EOPNOTSUPP on BIOS or without efivarfs, -EROFS on captured. */
int sw_machine_vars(struct sw_machine *m, struct sw_varstore **ret_vars, struct sw_error *err);

/*
 * The TCTI string for ESAPI, with a TPM that answers behind it: a stand-in's
 * swtpm is started on the first call and ends with the machine. Borrowed.
 * -ENOENT when there is no TPM, -EROFS on captured.
 */
int sw_machine_tcti(struct sw_machine *m, const char **ret_tcti, struct sw_error *err);

/*
 * Where the kernel shows the firmware's log of what it measured, if there is one;
 * malloc'd. NULL without memory, or on a captured machine.
 */
char *sw_machine_tpm_log(const struct sw_machine *m);

/*
 * Opens the whole disk. lock: flock LOCK_EX held until close. -EROFS on
 * captured; -ESTALE when another disk has taken the name since the facts.
 */
int sw_machine_open_disk(struct sw_machine *m, const struct sw_disk *d, bool writable, bool lock,
			 struct sw_io **ret_io, struct sw_error *err);

/*
 * After the lock is gone: has the kernel re-read the table and udev make its
 * links. Nothing on a stand-in.
 */
int sw_machine_settle(struct sw_machine *m, const struct sw_disk *d);

/*
 * Makes the file `name` of the medium readable: mounts the iso9660 file system
 * read-only below run_dir (real) or takes DIR/medium/ (stand-in). malloc'd path.
 * -ENOENT when there is no medium or no such file.
 */
int sw_machine_medium_file(struct sw_machine *m, const char *name, char **ret_path,
			   struct sw_error *err);

/*
 * Whether the network of this machine is slipway's to set: on its medium, and on a stand-in, which
 * only keeps the files. Another system has its own ways, and somebody who answers for them.
 */
bool sw_machine_sets_network(const struct sw_machine *m);
/* Those of systemd-networkd's files that slipway wrote: {NAME: TEXT}. */
int sw_machine_network_get(struct sw_machine *m, json_object **ret_files, struct sw_error *err);
/* Puts these in their place, and has networkd read them. -EOPNOTSUPP: it is not ours to set. */
int sw_machine_network_put(struct sw_machine *m, json_object *files, struct sw_error *err);

/*
 * Whether the clock of this machine is slipway's to set unasked: where the network is. Another
 * system has its own way to the right time.
 */
bool sw_machine_sets_clock(const struct sw_machine *m);
/*
 * Turns the clock (base/clock.h) by so many ms, and sets that on the board to the same, in UTC;
 * ret_rtc: 0 or -errno of that, which is no failure. Does not ask sw_machine_sets_clock().
 * Needs root on a real machine; a stand-in has a clock of its own.
 */
int sw_machine_clock_turn(struct sw_machine *m, int64_t by_ms, int *ret_rtc, struct sw_error *err);
/* What the clock on the board shows, s since the epoch; 0: there is none that can be read. */
int64_t sw_machine_rtc(const struct sw_machine *m);

/* SW_POWER_KEXEC: starts what sw_machine_load() has loaded, without the firmware. */
enum sw_power { SW_POWER_REBOOT, SW_POWER_OFF, SW_POWER_KEXEC };
/* Real: sync and reboot(2). Stand-in: notes it in DIR/run/power and returns. */
int sw_machine_power(struct sw_machine *m, enum sw_power what, struct sw_error *err);

/*
 * Has the running kernel load another one. kernel_fd: a bzImage, initrd_fd: its initrd or -1;
 * both may be memfds. Real: kexec_file_load(2). Stand-in: keeps kernel, initrd and cmdline in
 * DIR/run/kexec/. -EPERM (exit 4) where the kernel is locked down or kexec switched off, -ENOSYS
 * (exit 5) where it was built without.
 */
int sw_machine_load(struct sw_machine *m, int kernel_fd, int initrd_fd, const char *cmdline,
		    struct sw_error *err);

/* ---- making a stand-in ---- */

struct sw_standin_disk {
	const char *serial, *model, *transport;
	uint64_t size;
	uint32_t sector;
};

struct sw_standin_config {
	const struct sw_standin_disk *disks;
	size_t n_disks;
	const char *medium_serial;	/* the disk that plays the boot medium, or NULL */
	bool no_tpm, bios;
};

/*
 * Creates DIR (which must not exist or be empty) with machine.yaml, sparse
 * images, variables, TPM state.
 */
int sw_standin_create(const char *dir, const struct sw_standin_config *config,
		      struct sw_error *err);
