/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image is taken from the slot and not from where it was fetched: what starts now is what the
 * firmware will start. Its sections are what systemd's stub would hand to the kernel.
 */
#include "apply/handover.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apply/run.h"
#include "base/file.h"
#include "boot/pe.h"
#include "boot/uki.h"

static bool is_ours(const struct sw_disk *d, void *plan)
{
	const struct sw_plan *p = plan;
	const struct sw_plan_disk *pd = &p->disks[0];

	return pd->serial && d->serial ? strcmp(pd->serial, d->serial) == 0
				       : d->node && strcmp(pd->node, d->node) == 0;
}

/* The slot's image as a file. */
static int read_slot(struct sw_machine *m, const struct sw_plan *p, const char *out,
		     struct sw_error *err)
{
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest manifest = {};
	const struct sw_placed *slot = sw_plan_find(p, 0, SW_ROLE_SLOT);
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	const struct sw_disk *d;
	bool good = false;
	int r = sw_machine_facts_only(m, is_ours, (void *)p, &f, err);

	if (r < 0)
		return r;
	d = slot ? sw_bound_disk(p, 0, f) : NULL;
	if (!d)
		return sw_fail(err, SW_EXIT_MISSING, -ENOENT, "the disk of the node is not there");
	r = sw_machine_open_disk(m, d, false, false, &io, err);
	if (r == 0)
		r = sw_slot_read(io, slot->start, slot->size, &manifest, &good, err);
	if (r == 0 && !good)
		r = sw_fail(err, SW_EXIT_VERIFY, -EBADMSG,
			    "the slot does not hold what was installed");
	return r < 0 ? r : sw_slot_image(io, slot->start, slot->size, out, err);
}

/* A section in a memfd; -1 when the image has none of this name. */
static int section(int fd, const struct sw_pe *pe, const char *name, int *ret_fd)
{
	const struct sw_pe_section *s = sw_pe_find(pe, name);
	_cleanup_close_ int out = -1;
	int r;

	*ret_fd = -1;
	if (!s)
		return 0;
	out = memfd_create(name, MFD_CLOEXEC);
	if (out < 0)
		return -errno;
	r = sw_fd_copy(fd, s->raw_off, s->vsize && s->vsize < s->raw_size ? s->vsize : s->raw_size,
		       out);
	if (r == 0)
		*ret_fd = TAKE_FD(out);
	return r;
}

static char *command_line(const struct sw_uki_info *info)
{
	const char *own = info->cmdline ? info->cmdline : "";

	return sw_fmt("%s%snode.src=a", own, *own ? " " : "");
}

static int load(struct sw_machine *m, const char *image, struct sw_error *err)
{
	_cleanup_close_ int fd = -1, kernel = -1, initrd = -1;
	_cleanup_(sw_uki_info_clear) struct sw_uki_info info = {};
	_cleanup_free_ char *line = NULL;
	struct sw_pe pe;
	int r = sw_uki_inspect(image, &info, err);

	if (r == 0)
		r = sw_uki_check(&info, false, image, err);
	if (r == 0)
		r = sw_pe_open(image, &fd, &pe, err);
	if (r < 0)
		return r;
	r = section(fd, &pe, ".linux", &kernel);
	if (r == 0)
		r = section(fd, &pe, ".initrd", &initrd);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "the image cannot be taken apart");
	/* What is loaded no longer needs the file, which is memory on the medium. */
	(void)unlink(image);
	line = command_line(&info);
	return line ? sw_machine_load(m, kernel, initrd, line, err) : sw_fail_oom(err);
}

int sw_handover_load(struct sw_machine *m, const struct sw_plan *p, struct sw_error *err)
{
	_cleanup_free_ char *image = sw_fmt("%s/handover.efi", m->run_dir);
	int r = image ? read_slot(m, p, image, err) : sw_fail_oom(err);

	if (r == 0)
		r = load(m, image, err);
	if (image)
		(void)unlink(image);
	return r;
}
