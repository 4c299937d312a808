/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disks that the answers choose, for the screens. Disk 0 is the system disk
 * (disk.match), the others those of disk.more, in the layout's order.
 */
#pragma once

#include "tui/session/state.h"

enum sw_disk_need { SW_DISK_NOT_WANTED, SW_DISK_OPTIONAL, SW_DISK_NEEDED };

/* Whether the layout has a disk k. */
enum sw_disk_need sw_state_disk_need(const struct sw_state *s, size_t k);
/* "data", as the layout calls it; "" when it is not known. */
const char *sw_state_disk_name(const struct sw_state *s, size_t k);
/* The least size that the layout asks of disk k, bytes. */
uint64_t sw_state_disk_least(const struct sw_state *s, size_t k);
/* The disk that the answers choose as disk k after those before it; borrowed, NULL: none. */
const struct sw_disk *sw_state_disk_at(const struct sw_state *s, size_t k);
/* One for each disk of the facts, with those before k as chosen already; -ENOMEM. */
int sw_state_stand(const struct sw_state *s, size_t k, struct sw_disk_standing **ret_standings);

/*
 * Makes the answers choose d as disk k. A rule of theirs that does so already
 * stays as it is, else it becomes the disk's serial, WWN or path, whichever is
 * its own. -ENODATA when none is.
 */
int sw_state_choose_disk(struct sw_state *s, size_t k, const struct sw_disk *d);
/* Makes the answers those of a node without a disk; what only a disk has comes back with one. */
int sw_state_choose_no_disk(struct sw_state *s, struct sw_error *err);
/*
 * Whether what is on disk k may be lost, for a person who has pointed at it:
 * a rule that names no disk is as good as one that does, and what may be lost on
 * the system disk may be lost on the others. 0, or -EPERM and the reason.
 */
int sw_state_may_lose(const struct sw_state *s, size_t k, struct sw_error *err);
/* Writes into the answers what sw_state_may_lose() allowed. */
int sw_state_settle_loss(struct sw_state *s, size_t k, struct sw_error *err);
/* Takes disks away that the layout does not have. */
void sw_state_drop_disks(struct sw_state *s);
