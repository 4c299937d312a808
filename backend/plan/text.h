/* SPDX-License-Identifier: Apache-2.0 */
/* Private to plan/: pieces of the review. */
#pragma once

#include "base/buf.h"
#include "plan/plan.h"

/* Adds words with a hanging indent so that no line is longer than width. */
int sw_plan_wrap(struct sw_buf *b, const char *first, const char *text, unsigned int width);
/* A disk's partitions before and after, and what is lost. */
int sw_plan_add_tables(struct sw_buf *b, const struct sw_plan *p, size_t disk, unsigned int width);
