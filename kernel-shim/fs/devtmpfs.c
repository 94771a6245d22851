// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device nodes (drivers/base/devtmpfs.c): a node below /dev for every device with a device number, at the name that its
 * class or type chooses, from device_add() to device_del(). A node's inode lives on while files of it are open.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernfs.h>
#include <linux/slab.h>
#include <../drivers/base/base.h>

#include "shim.h"
#include "fs.h"

/* The directory that a name with slashes lies in, made if need be; referenced. *last is set to the final component. */
static struct kernfs_node *node_directory(char *path, bool create, char **last)
{
	struct kernfs_node *dir = shim_fs_dev, *next;
	char *slash;

	kernfs_get(dir);
	while ((slash = strchr(path, '/'))) {
		*slash = '\0';
		next = kernfs_find_and_get_ns(dir, path, NULL);
		if (!next && create) {
			next = kernfs_create_dir_ns(dir, path, 0755, GLOBAL_ROOT_UID,
						    GLOBAL_ROOT_GID, NULL, NULL);
			if (!IS_ERR(next))
				kernfs_get(next);
		}
		kernfs_put(dir);
		if (IS_ERR_OR_NULL(next))
			return next ?: ERR_PTR(-ENOENT);
		dir = next;
		path = slash + 1;
	}
	*last = path;
	return dir;
}

/* A copy of the device's name in /dev and the mode of its node. */
static char *node_name(struct device *dev, umode_t *mode)
{
	const char *tmp = NULL, *name;
	kuid_t uid = GLOBAL_ROOT_UID;
	kgid_t gid = GLOBAL_ROOT_GID;
	char *copy;

	*mode = 0;
	name = device_get_devnode(dev, mode, &uid, &gid, &tmp);
	copy = name ? kstrdup(name, GFP_KERNEL) : NULL;
	kfree(tmp);
	if (!*mode)
		*mode = 0600;
	*mode |= S_IFCHR;
	return copy;
}

int devtmpfs_create_node(struct device *dev)
{
	struct kernfs_node *dir, *kn;
	char *path, *last = NULL;
	umode_t mode;
	int ret;

	path = node_name(dev, &mode);
	if (!path)
		return -ENOMEM;
	dir = node_directory(path, true, &last);
	if (IS_ERR(dir)) {
		kfree(path);
		return (int)PTR_ERR(dir);
	}
	kn = shim_kernfs_device(dir, last, mode, dev->devt);
	ret = PTR_ERR_OR_ZERO(kn);
	kernfs_put(dir);
	kfree(path);
	return ret;
}

int devtmpfs_delete_node(struct device *dev)
{
	struct kernfs_node *dir, *parent;
	char *path, *last = NULL;
	umode_t mode;
	int ret;

	path = node_name(dev, &mode);
	if (!path)
		return -ENOMEM;
	dir = node_directory(path, false, &last);
	if (IS_ERR(dir)) {
		kfree(path);
		return (int)PTR_ERR(dir);
	}
	ret = kernfs_remove_by_name_ns(dir, last, NULL);
	/* Directories that were made for it go with the last node in them */
	while (dir != shim_fs_dev && RB_EMPTY_ROOT(&dir->dir.children)) {
		parent = shim_kernfs_parent(dir);
		kernfs_remove(dir);
		kernfs_put(dir);
		dir = parent;
	}
	kernfs_put(dir);
	kfree(path);
	return ret;
}

int devtmpfs_init(void)
{
	return 0;
}
