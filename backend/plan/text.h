/* SPDX-License-Identifier: Apache-2.0 */
/* Private to plan/: pieces of the review. */
#pragma once

#include "base/buf.h"
#include "plan/plan.h"

/* Adds words with a hanging indent so that no line is longer than width. */
int sw_plan_wrap(struct sw_buf *b, const char *first, const char *text, unsigned int width);
/* By which rule a disk was chosen, and why the others were not; nothing where it is not known. */
int sw_plan_add_chosen(struct sw_buf *b, const struct sw_plan_disk *d, unsigned int width);
/* A disk's partitions before and after, and what is lost. */
int sw_plan_add_tables(struct sw_buf *b, const struct sw_plan *p, size_t disk, unsigned int width);
