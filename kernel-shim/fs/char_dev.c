// SPDX-License-Identifier: GPL-2.0-only
/*
 * Character devices (fs/char_dev.c): major numbers, and the map from a device number to its cdev
 * (the kernel's own drivers/base/map.c). An open file keeps its cdev, and through it the device behind it.
 *
 * Not modelled: /proc/devices, modules (a cdev's owner is always there).
 */
#include <linux/cdev.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/kobj_map.h>
#include <linux/major.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "shim.h"
#include "fs.h"

#define MAJOR_FIRST 254 /* dynamic majors are given from here downwards */
#define MAJOR_LAST  234

struct chrdev_region {
	struct list_head list;
	dev_t first;
	unsigned int count;
	const char *name;
};

static LIST_HEAD(regions);
static DEFINE_MUTEX(chrdevs_lock);
static DEFINE_SPINLOCK(cdev_lock); /* inode->i_cdev, cdev->list */
static struct kobj_map *cdev_map;
static unsigned int cdevs_live;

/* ---- device numbers ---------------------------------------------------------------------------------- */

static bool region_overlaps(dev_t first, unsigned int count)
{
	struct chrdev_region *region;

	list_for_each_entry(region, &regions, list) if (first < region->first + region->count &&
							region->first < first + count) return true;
	return false;
}

static int region_add(dev_t first, unsigned int count, const char *name)
{
	struct chrdev_region *region;

	if (region_overlaps(first, count))
		return -EBUSY;
	region = kzalloc(sizeof(*region), GFP_KERNEL);
	if (!region)
		return -ENOMEM;
	region->first = first;
	region->count = count;
	region->name = name;
	list_add_tail(&region->list, &regions);
	return 0;
}

int alloc_chrdev_region(dev_t *dev, unsigned int baseminor, unsigned int count, const char *name)
{
	int ret = -EBUSY;

	if (!count || baseminor + count > MINORMASK + 1)
		return -EINVAL;
	mutex_lock(&chrdevs_lock);
	for (unsigned int major = MAJOR_FIRST; ret == -EBUSY && major >= MAJOR_LAST; major--) {
		if (region_overlaps(MKDEV(major, 0), MINORMASK + 1))
			continue;
		*dev = MKDEV(major, baseminor);
		ret = region_add(*dev, count, name);
	}
	mutex_unlock(&chrdevs_lock);
	return ret;
}

int register_chrdev_region(dev_t first, unsigned int count, const char *name)
{
	int ret;

	mutex_lock(&chrdevs_lock);
	ret = region_add(first, count, name);
	mutex_unlock(&chrdevs_lock);
	return ret;
}

void unregister_chrdev_region(dev_t first, unsigned int count)
{
	struct chrdev_region *region;

	mutex_lock(&chrdevs_lock);
	list_for_each_entry(region, &regions,
			    list) if (region->first == first && region->count == count)
	{
		list_del(&region->list);
		kfree(region);
		break;
	}
	mutex_unlock(&chrdevs_lock);
}

/* ---- cdevs -------------------------------------------------------------------------------------------- */

static void cdev_purge(struct cdev *cdev)
{
	spin_lock(&cdev_lock);
	while (!list_empty(&cdev->list)) {
		struct inode *inode = list_first_entry(&cdev->list, struct inode, i_devices);

		list_del_init(&inode->i_devices);
		inode->i_cdev = NULL;
	}
	spin_unlock(&cdev_lock);
}

static void cdev_static_release(struct kobject *kobj)
{
	struct cdev *cdev = container_of(kobj, struct cdev, kobj);
	struct kobject *parent = kobj->parent;

	cdev_purge(cdev);
	kobject_put(parent);
}

static void cdev_dynamic_release(struct kobject *kobj)
{
	struct cdev *cdev = container_of(kobj, struct cdev, kobj);
	struct kobject *parent = kobj->parent;

	cdev_purge(cdev);
	kfree(cdev);
	cdevs_live--;
	kobject_put(parent);
}

static const struct kobj_type cdev_static_type = {.release = cdev_static_release};
static const struct kobj_type cdev_dynamic_type = {.release = cdev_dynamic_release};

struct cdev *cdev_alloc(void)
{
	struct cdev *cdev = kzalloc(sizeof(*cdev), GFP_KERNEL);

	if (cdev) {
		INIT_LIST_HEAD(&cdev->list);
		kobject_init(&cdev->kobj, &cdev_dynamic_type);
		cdevs_live++;
	}
	return cdev;
}

void cdev_init(struct cdev *cdev, const struct file_operations *fops)
{
	memset(cdev, 0, sizeof(*cdev));
	INIT_LIST_HEAD(&cdev->list);
	kobject_init(&cdev->kobj, &cdev_static_type);
	cdev->ops = fops;
}

static struct kobject *cdev_match(dev_t dev, int *part, void *data)
{
	return &((struct cdev *)data)->kobj;
}

static int cdev_hold(dev_t dev, void *data)
{
	return kobject_get_unless_zero(&((struct cdev *)data)->kobj) ? 0 : -1;
}

int cdev_add(struct cdev *cdev, dev_t dev, unsigned int count)
{
	int ret;

	if (WARN_ON(dev == WHITEOUT_DEV))
		return -EBUSY;
	cdev->dev = dev;
	cdev->count = count;
	ret = kobj_map(cdev_map, dev, count, NULL, cdev_match, cdev_hold, cdev);
	if (!ret)
		kobject_get(cdev->kobj.parent);
	return ret;
}

/* Open files keep the cdev; nobody can open it any more. */
void cdev_del(struct cdev *cdev)
{
	kobj_unmap(cdev_map, cdev->dev, cdev->count);
	kobject_put(&cdev->kobj);
}

void cdev_put(struct cdev *cdev)
{
	if (cdev)
		kobject_put(&cdev->kobj);
}

void cdev_set_parent(struct cdev *cdev, struct kobject *kobj)
{
	WARN_ON(!kobj->state_initialized);
	cdev->kobj.parent = kobj;
}

int cdev_device_add(struct cdev *cdev, struct device *dev)
{
	int ret = 0;

	if (dev->devt) {
		cdev_set_parent(cdev, &dev->kobj);
		ret = cdev_add(cdev, dev->devt, 1);
		if (ret)
			return ret;
	}
	ret = device_add(dev);
	if (ret && dev->devt)
		cdev_del(cdev);
	return ret;
}

void cdev_device_del(struct cdev *cdev, struct device *dev)
{
	device_del(dev);
	if (dev->devt)
		cdev_del(cdev);
}

/* An inode goes away: its cdev forgets it. */
void cd_forget(struct inode *inode)
{
	spin_lock(&cdev_lock);
	list_del_init(&inode->i_devices);
	inode->i_cdev = NULL;
	inode->i_mapping = &inode->i_data;
	spin_unlock(&cdev_lock);
}

/* ---- open ----------------------------------------------------------------------------------------------- */

/* A reference to the inode's cdev, looked up by number the first time. */
static struct cdev *inode_cdev(struct inode *inode)
{
	struct cdev *cdev, *found = NULL;
	struct kobject *kobj;
	int index;

	spin_lock(&cdev_lock);
	cdev = inode->i_cdev;
	if (cdev && !kobject_get_unless_zero(&cdev->kobj))
		cdev = NULL;
	spin_unlock(&cdev_lock);
	if (cdev)
		return cdev;
	kobj = kobj_lookup(cdev_map, inode->i_rdev, &index);
	if (!kobj)
		return NULL;
	found = container_of(kobj, struct cdev, kobj);
	spin_lock(&cdev_lock);
	if (!inode->i_cdev) {
		inode->i_cdev = found;
		list_add(&inode->i_devices, &found->list);
	}
	spin_unlock(&cdev_lock);
	return found;
}

static int chrdev_open(struct inode *inode, struct file *file)
{
	struct cdev *cdev = inode_cdev(inode);
	int ret = 0;

	if (!cdev || !cdev->ops) {
		cdev_put(cdev);
		return -ENXIO;
	}
	replace_fops(file, cdev->ops);
	if (file->f_op->open)
		ret = file->f_op->open(inode, file);
	/* On success the file has the reference and gives it back when it is released */
	if (ret)
		cdev_put(cdev);
	return ret;
}

const struct file_operations def_chr_fops = {
	.open = chrdev_open,
	.llseek = noop_llseek,
};

loff_t noop_llseek(struct file *file, loff_t offset, int whence)
{
	return file->f_pos;
}

unsigned int shim_cdevs_live(void)
{
	return cdevs_live;
}

static struct kobject *no_such_device(dev_t dev, int *part, void *data)
{
	return NULL;
}

void __init shim_fs_init(void)
{
	cdev_map = kobj_map_init(no_such_device, &chrdevs_lock);
	if (!cdev_map)
		panic("character devices cannot be set up");
}
