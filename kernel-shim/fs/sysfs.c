// SPDX-License-Identifier: GPL-2.0-only
/*
 * sysfs (fs/sysfs): kobjects as directories, their attributes as files, over the tree of kernfs.c.
 * A kobject's directory and those of its named groups carry the kobject; an attribute's file carries the attribute.
 *
 * Not modelled: name spaces, change of owner (everything is root's), merged groups.
 */
#include <linux/kernfs.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "shim.h"
#include "fs.h"

int shim_kernfs_init(void);

int shim_sysfs_init(void)
{
	return shim_kernfs_init();
}

int sysfs_emit_at(char *buf, int at, const char *fmt, ...)
{
	va_list args;
	int length;

	if (WARN(!buf || offset_in_page(buf) || at < 0 || at >= PAGE_SIZE, "sysfs_emit_at: at:%d\n",
		 at))
		return 0;
	va_start(args, fmt);
	length = vscnprintf(buf + at, PAGE_SIZE - (size_t)at, fmt, args);
	va_end(args);
	return length;
}

int sysfs_emit(char *buf, const char *fmt, ...)
{
	va_list args;
	int length;

	if (WARN(!buf || offset_in_page(buf), "sysfs_emit: not a page\n"))
		return 0;
	va_start(args, fmt);
	length = vscnprintf(buf, PAGE_SIZE, fmt, args);
	va_end(args);
	return length;
}

/* ---- attribute files -------------------------------------------------------------------------------- */

static struct kobject *node_kobj(const struct kernfs_open_file *of)
{
	return of->kn->parent->priv;
}

static const struct sysfs_ops *kobj_ops(const struct kobject *kobj)
{
	return kobj->ktype ? kobj->ktype->sysfs_ops : NULL;
}

static ssize_t text_read(struct kernfs_open_file *of, char *buf, size_t bytes, loff_t offset)
{
	struct kobject *kobj = node_kobj(of);
	ssize_t length = kobj_ops(kobj)->show(kobj, of->kn->priv, buf);

	/* A show function that fills the page has overrun it, or will */
	if (WARN_ON(length >= (ssize_t)PAGE_SIZE))
		length = PAGE_SIZE - 1;
	return length;
}

static ssize_t text_write(struct kernfs_open_file *of, char *buf, size_t bytes, loff_t offset)
{
	struct kobject *kobj = node_kobj(of);

	return bytes ? kobj_ops(kobj)->store(kobj, of->kn->priv, buf, bytes) : 0;
}

static ssize_t binary_read(struct kernfs_open_file *of, char *buf, size_t bytes, loff_t offset)
{
	struct bin_attribute *attr = of->kn->priv;

	if (attr->size) {
		if (offset >= (loff_t)attr->size)
			return 0;
		bytes = min_t(size_t, bytes, attr->size - (size_t)offset);
	}
	return bytes ? attr->read(of->file, node_kobj(of), attr, buf, offset, bytes) : 0;
}

static ssize_t binary_write(struct kernfs_open_file *of, char *buf, size_t bytes, loff_t offset)
{
	struct bin_attribute *attr = of->kn->priv;

	if (attr->size) {
		if (offset >= (loff_t)attr->size)
			return -EFBIG;
		bytes = min_t(size_t, bytes, attr->size - (size_t)offset);
	}
	return bytes ? attr->write(of->file, node_kobj(of), attr, buf, offset, bytes) : 0;
}

static const struct kernfs_ops text_ro = {.read = text_read};
static const struct kernfs_ops text_wo = {.write = text_write};
static const struct kernfs_ops text_rw = {.read = text_read, .write = text_write};
static const struct kernfs_ops text_none = {};
static const struct kernfs_ops binary_ro = {.read = binary_read};
static const struct kernfs_ops binary_wo = {.write = binary_write};
static const struct kernfs_ops binary_rw = {.read = binary_read, .write = binary_write};

static const struct kernfs_ops *pick(bool reads, bool writes, const struct kernfs_ops *ro,
				     const struct kernfs_ops *wo, const struct kernfs_ops *rw)
{
	if (reads && writes)
		return rw;
	if (reads)
		return ro;
	return writes ? wo : &text_none;
}

static int report_duplicate(struct kernfs_node *parent, const char *name, int error)
{
	if (error == -EEXIST)
		pr_warn("sysfs: cannot create duplicate '%s' in '%s'\n", name, parent->name);
	return error;
}

static int text_add(struct kernfs_node *parent, struct kobject *kobj, const struct attribute *attr,
		    umode_t mode)
{
	const struct sysfs_ops *ops = kobj_ops(kobj);
	const struct kernfs_ops *kops;
	struct kernfs_node *kn;

	if (WARN(!ops, "sysfs: %s has attributes and no operations\n", kobject_name(kobj)))
		return -EINVAL;
	kops = pick(ops->show, ops->store, &text_ro, &text_wo, &text_rw);
	kn = __kernfs_create_file(parent, attr->name, mode & 0777, GLOBAL_ROOT_UID, GLOBAL_ROOT_GID,
				  0, kops, (void *)attr, NULL, NULL);
	return IS_ERR(kn) ? report_duplicate(parent, attr->name, (int)PTR_ERR(kn)) : 0;
}

static int binary_add(struct kernfs_node *parent, const struct bin_attribute *attr, umode_t mode)
{
	const struct kernfs_ops *kops =
		pick(attr->read, attr->write, &binary_ro, &binary_wo, &binary_rw);
	struct kernfs_node *kn;

	kn = __kernfs_create_file(parent, attr->attr.name, mode & 0777, GLOBAL_ROOT_UID,
				  GLOBAL_ROOT_GID, (loff_t)attr->size, kops, (void *)attr, NULL,
				  NULL);
	return IS_ERR(kn) ? report_duplicate(parent, attr->attr.name, (int)PTR_ERR(kn)) : 0;
}

int sysfs_create_file_ns(struct kobject *kobj, const struct attribute *attr, const void *ns)
{
	if (WARN_ON(!kobj || !kobj->sd || !attr))
		return -EINVAL;
	return text_add(kobj->sd, kobj, attr, attr->mode);
}

void sysfs_remove_file_ns(struct kobject *kobj, const struct attribute *attr, const void *ns)
{
	kernfs_remove_by_name_ns(kobj->sd, attr->name, ns);
}

bool sysfs_remove_file_self(struct kobject *kobj, const struct attribute *attr)
{
	struct kernfs_node *kn = kernfs_find_and_get_ns(kobj->sd, attr->name, NULL);
	bool removed;

	if (!kn)
		return false;
	removed = kernfs_remove_self(kn);
	kernfs_put(kn);
	return removed;
}

int sysfs_create_bin_file(struct kobject *kobj, const struct bin_attribute *attr)
{
	if (WARN_ON(!kobj || !kobj->sd || !attr))
		return -EINVAL;
	return binary_add(kobj->sd, attr, attr->attr.mode);
}

void sysfs_remove_bin_file(struct kobject *kobj, const struct bin_attribute *attr)
{
	kernfs_remove_by_name_ns(kobj->sd, attr->attr.name, NULL);
}

/* ---- directories --------------------------------------------------------------------------------------- */

int sysfs_create_dir_ns(struct kobject *kobj, const void *ns)
{
	struct kernfs_node *parent = kobj->parent ? kobj->parent->sd : shim_fs_sys, *kn;

	if (!parent)
		return -ENOENT;
	kn = kernfs_create_dir_ns(parent, kobject_name(kobj), 0755, GLOBAL_ROOT_UID,
				  GLOBAL_ROOT_GID, kobj, ns);
	if (IS_ERR(kn))
		return report_duplicate(parent, kobject_name(kobj), (int)PTR_ERR(kn));
	kobj->sd = kn;
	return 0;
}

void sysfs_remove_dir(struct kobject *kobj)
{
	struct kernfs_node *kn = kobj->sd;

	kobj->sd = NULL;
	kernfs_remove(kn);
}

int sysfs_rename_dir_ns(struct kobject *kobj, const char *new_name, const void *new_ns)
{
	return kernfs_rename_ns(kobj->sd, kobj->sd->parent, new_name, new_ns);
}

int sysfs_move_dir_ns(struct kobject *kobj, struct kobject *new_parent, const void *new_ns)
{
	struct kernfs_node *parent = new_parent && new_parent->sd ? new_parent->sd : shim_fs_sys;

	return kernfs_rename_ns(kobj->sd, parent, kobj->sd->name, new_ns);
}

/* ---- symbolic links -------------------------------------------------------------------------------------- */

static int link_add(struct kernfs_node *parent, struct kobject *target, const char *name, bool warn)
{
	struct kernfs_node *kn;

	if (!parent || !target->sd)
		return -ENOENT;
	kn = kernfs_create_link(parent, name, target->sd);
	if (!IS_ERR(kn))
		return 0;
	return warn ? report_duplicate(parent, name, (int)PTR_ERR(kn)) : (int)PTR_ERR(kn);
}

int sysfs_create_link(struct kobject *kobj, struct kobject *target, const char *name)
{
	return link_add(kobj ? kobj->sd : shim_fs_sys, target, name, true);
}

int sysfs_create_link_nowarn(struct kobject *kobj, struct kobject *target, const char *name)
{
	return link_add(kobj ? kobj->sd : shim_fs_sys, target, name, false);
}

void sysfs_remove_link(struct kobject *kobj, const char *name)
{
	kernfs_remove_by_name_ns(kobj ? kobj->sd : shim_fs_sys, name, NULL);
}

void sysfs_delete_link(struct kobject *dir, struct kobject *target, const char *name)
{
	kernfs_remove_by_name_ns(dir->sd, name, NULL);
}

int sysfs_rename_link_ns(struct kobject *kobj, struct kobject *target, const char *old_name,
			 const char *new_name, const void *new_ns)
{
	struct kernfs_node *parent = kobj ? kobj->sd : shim_fs_sys;
	struct kernfs_node *kn = kernfs_find_and_get_ns(parent, old_name, NULL);
	int ret = -ENOENT;

	if (kn && kernfs_type(kn) != KERNFS_LINK)
		ret = -EINVAL;
	else if (kn && kn->symlink.target_kn->priv == target)
		ret = kernfs_rename_ns(kn, parent, new_name, new_ns);
	kernfs_put(kn);
	return ret;
}

/* ---- groups ------------------------------------------------------------------------------------------------ */

static umode_t text_mode(struct kobject *kobj, const struct attribute_group *group, int i)
{
	if (!group->is_visible)
		return group->attrs[i]->mode;
	return group->is_visible(kobj, group->attrs[i], i) & ~SYSFS_GROUP_INVISIBLE;
}

static umode_t binary_mode(struct kobject *kobj, const struct attribute_group *group, int i)
{
	if (!group->is_bin_visible)
		return group->bin_attrs[i]->attr.mode;
	return group->is_bin_visible(kobj, group->bin_attrs[i], i) & ~SYSFS_GROUP_INVISIBLE;
}

static void group_files_remove(struct kernfs_node *dir, const struct attribute_group *group)
{
	for (int i = 0; group->attrs && group->attrs[i]; i++)
		kernfs_remove_by_name_ns(dir, group->attrs[i]->name, NULL);
	for (int i = 0; group->bin_attrs && group->bin_attrs[i]; i++)
		kernfs_remove_by_name_ns(dir, group->bin_attrs[i]->attr.name, NULL);
}

static int group_files_add(struct kernfs_node *dir, struct kobject *kobj,
			   const struct attribute_group *group)
{
	umode_t mode;
	int ret = 0;

	for (int i = 0; !ret && group->attrs && group->attrs[i]; i++) {
		mode = text_mode(kobj, group, i);
		if (mode)
			ret = text_add(dir, kobj, group->attrs[i], mode);
	}
	for (int i = 0; !ret && group->bin_attrs && group->bin_attrs[i]; i++) {
		mode = binary_mode(kobj, group, i);
		if (mode)
			ret = binary_add(dir, group->bin_attrs[i], mode);
	}
	return ret;
}

/* A named group may hide its directory by what its first attribute's visibility says. */
static bool group_hidden(struct kobject *kobj, const struct attribute_group *group)
{
	if (group->attrs && group->attrs[0] && group->is_visible)
		return group->is_visible(kobj, group->attrs[0], 0) & SYSFS_GROUP_INVISIBLE;
	if (group->bin_attrs && group->bin_attrs[0] && group->is_bin_visible)
		return group->is_bin_visible(kobj, group->bin_attrs[0], 0) & SYSFS_GROUP_INVISIBLE;
	return false;
}

int sysfs_create_group(struct kobject *kobj, const struct attribute_group *group)
{
	struct kernfs_node *dir;
	int ret;

	if (WARN_ON(!kobj || !kobj->sd))
		return -EINVAL;
	if (!group->name) {
		ret = group_files_add(kobj->sd, kobj, group);
		if (ret)
			group_files_remove(kobj->sd, group);
		return ret;
	}
	if (group_hidden(kobj, group))
		return 0;
	dir = kernfs_create_dir_ns(kobj->sd, group->name, 0755, GLOBAL_ROOT_UID, GLOBAL_ROOT_GID,
				   kobj, NULL);
	if (IS_ERR(dir))
		return report_duplicate(kobj->sd, group->name, (int)PTR_ERR(dir));
	ret = group_files_add(dir, kobj, group);
	if (ret)
		kernfs_remove(dir);
	return ret;
}

void sysfs_remove_group(struct kobject *kobj, const struct attribute_group *group)
{
	if (group->name)
		kernfs_remove_by_name_ns(kobj->sd, group->name, NULL);
	else
		group_files_remove(kobj->sd, group);
}

int sysfs_create_groups(struct kobject *kobj, const struct attribute_group **groups)
{
	for (int i = 0; groups && groups[i]; i++) {
		int ret = sysfs_create_group(kobj, groups[i]);

		if (ret) {
			while (--i >= 0)
				sysfs_remove_group(kobj, groups[i]);
			return ret;
		}
	}
	return 0;
}

void sysfs_remove_groups(struct kobject *kobj, const struct attribute_group **groups)
{
	for (int i = 0; groups && groups[i]; i++)
		sysfs_remove_group(kobj, groups[i]);
}

static struct kernfs_node *group_find(struct kobject *kobj, const char *name)
{
	return name ? kernfs_find_and_get_ns(kobj->sd, name, NULL) : NULL;
}

int sysfs_add_link_to_group(struct kobject *kobj, const char *group_name, struct kobject *target,
			    const char *link_name)
{
	struct kernfs_node *dir = group_find(kobj, group_name);
	int ret = link_add(dir, target, link_name, true);

	kernfs_put(dir);
	return ret;
}

void sysfs_remove_link_from_group(struct kobject *kobj, const char *group_name,
				  const char *link_name)
{
	struct kernfs_node *dir = group_find(kobj, group_name);

	kernfs_remove_by_name_ns(dir, link_name, NULL);
	kernfs_put(dir);
}

/* ---- owners: everything is root's -------------------------------------------------------------------------- */

int sysfs_change_owner(struct kobject *kobj, kuid_t uid, kgid_t gid)
{
	return uid_eq(uid, GLOBAL_ROOT_UID) && gid_eq(gid, GLOBAL_ROOT_GID) ? 0 : -EPERM;
}

int sysfs_file_change_owner(struct kobject *kobj, const char *name, kuid_t uid, kgid_t gid)
{
	return sysfs_change_owner(kobj, uid, gid);
}

int sysfs_link_change_owner(struct kobject *kobj, struct kobject *target, const char *name,
			    kuid_t uid, kgid_t gid)
{
	return sysfs_change_owner(kobj, uid, gid);
}

int sysfs_groups_change_owner(struct kobject *kobj, const struct attribute_group **groups,
			      kuid_t uid, kgid_t gid)
{
	return sysfs_change_owner(kobj, uid, gid);
}
