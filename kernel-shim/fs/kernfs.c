// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree behind /sys and /dev (fs/kernfs): directories, attribute files, symbolic links, and the device nodes
 * of devtmpfs, which the kernel keeps in a file system of its own.
 *
 * A node lives as long as somebody refers to it (count); its owner's data may be used only while an
 * active reference is held. Removing a node waits for the active users and denies new ones, so that an open file
 * of a removed attribute answers -ENODEV.
 *
 * Not modelled: name spaces, attributes' notification by poll(), mmap of attribute files, extended attributes,
 * times, change of owner.
 */
#include <linux/fs.h>
#include <linux/kernfs.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "shim.h"
#include "fs.h"

#define ACTIVE_DENIED (INT_MIN + 1) /* bias of `active` once a node is being removed */

struct kernfs_iattrs {
	struct inode *inode;
};

struct kernfs_node *shim_fs_root, *shim_fs_sys, *shim_fs_dev;

static DEFINE_MUTEX(tree_lock);		    /* names, parents, children */
static DECLARE_WAIT_QUEUE_HEAD(drain_wait); /* removals that wait for active users */
static u64 next_id = 1;

/* ---- references ---------------------------------------------------------------------------------- */

void kernfs_get(struct kernfs_node *kn)
{
	if (kn)
		atomic_inc(&kn->count);
}

static void node_free(struct kernfs_node *kn)
{
	if (kernfs_type(kn) == KERNFS_LINK)
		kernfs_put(kn->symlink.target_kn);
	if (kn->iattr) {
		iput(kn->iattr->inode);
		kfree(kn->iattr);
	}
	kfree(kn->name);
	kfree(kn);
}

/* A node refers to its parent, also after its removal. */
void kernfs_put(struct kernfs_node *kn)
{
	while (kn && atomic_dec_and_test(&kn->count)) {
		struct kernfs_node *parent = kn->parent;

		node_free(kn);
		kn = parent;
	}
}

static bool node_get_active(struct kernfs_node *kn)
{
	return atomic_inc_unless_negative(&kn->active);
}

static void node_put_active(struct kernfs_node *kn)
{
	if (atomic_dec_return(&kn->active) == ACTIVE_DENIED)
		wake_up_all(&drain_wait);
}

/* ---- children ------------------------------------------------------------------------------------- */

/* FNV-1a, kept positive and above the positions of "." and "..". */
static unsigned int name_hash(const char *name)
{
	u32 hash = 2166136261u;

	while (*name)
		hash = (hash ^ (u8)*name++) * 16777619u;
	return (hash & 0x7fffffff) < 2 ? 2 : hash & 0x7fffffff;
}

static int name_compare(unsigned int hash, const char *name, const struct kernfs_node *kn)
{
	if (hash != kn->hash)
		return hash < kn->hash ? -1 : 1;
	return strcmp(name, kn->name);
}

static struct kernfs_node *child_find(struct kernfs_node *dir, const char *name)
{
	struct rb_node *at = dir->dir.children.rb_node;
	unsigned int hash = name_hash(name);

	while (at) {
		struct kernfs_node *kn = rb_entry(at, struct kernfs_node, rb);
		int order = name_compare(hash, name, kn);

		if (!order)
			return kn;
		at = order < 0 ? at->rb_left : at->rb_right;
	}
	return NULL;
}

static int child_link(struct kernfs_node *kn)
{
	struct rb_node **at = &kn->parent->dir.children.rb_node, *above = NULL;

	while (*at) {
		int order = name_compare(kn->hash, kn->name, rb_entry(*at, struct kernfs_node, rb));

		if (!order)
			return -EEXIST;
		above = *at;
		at = order < 0 ? &above->rb_left : &above->rb_right;
	}
	rb_link_node(&kn->rb, above, at);
	rb_insert_color(&kn->rb, &kn->parent->dir.children);
	if (kernfs_type(kn) == KERNFS_DIR)
		kn->parent->dir.subdirs++;
	return 0;
}

static bool child_unlink(struct kernfs_node *kn)
{
	if (RB_EMPTY_NODE(&kn->rb))
		return false;
	rb_erase(&kn->rb, &kn->parent->dir.children);
	RB_CLEAR_NODE(&kn->rb);
	if (kernfs_type(kn) == KERNFS_DIR)
		kn->parent->dir.subdirs--;
	return true;
}

struct kernfs_node *shim_kernfs_next(struct kernfs_node *dir, unsigned int hash,
				     struct kernfs_node *after)
{
	struct kernfs_node *found = NULL;

	mutex_lock(&tree_lock);
	if (after && !RB_EMPTY_NODE(&after->rb)) {
		struct rb_node *next = rb_next(&after->rb);

		found = next ? rb_entry(next, struct kernfs_node, rb) : NULL;
	} else {
		struct rb_node *at = dir->dir.children.rb_node;

		while (at) {
			struct kernfs_node *kn = rb_entry(at, struct kernfs_node, rb);

			if (kn->hash >= hash)
				found = kn;
			at = kn->hash >= hash ? at->rb_left : at->rb_right;
		}
	}
	kernfs_get(found);
	mutex_unlock(&tree_lock);
	return found;
}

/* ---- creation --------------------------------------------------------------------------------------- */

static struct kernfs_node *node_new(struct kernfs_node *parent, const char *name, umode_t mode,
				    unsigned short type)
{
	struct kernfs_node *kn = kzalloc(sizeof(*kn), GFP_KERNEL);

	if (!kn)
		return NULL;
	kn->name = kstrdup(name, GFP_KERNEL);
	if (!kn->name) {
		kfree(kn);
		return NULL;
	}
	atomic_set(&kn->count, 1);
	RB_CLEAR_NODE(&kn->rb);
	kn->hash = name_hash(name);
	kn->mode = mode;
	kn->flags = type;
	kn->id = next_id++;
	kn->parent = parent;
	kernfs_get(parent);
	return kn;
}

/* Enters a new node; takes it over when that fails. */
static struct kernfs_node *node_add(struct kernfs_node *kn)
{
	int ret;

	mutex_lock(&tree_lock);
	if (kernfs_type(kn->parent) != KERNFS_DIR)
		ret = -EINVAL;
	else if (kn->parent->flags & KERNFS_REMOVING)
		ret = -ENOENT;
	else
		ret = child_link(kn);
	mutex_unlock(&tree_lock);
	if (!ret)
		return kn;
	kernfs_put(kn);
	return ERR_PTR(ret);
}

struct kernfs_node *kernfs_create_dir_ns(struct kernfs_node *parent, const char *name, umode_t mode,
					 kuid_t uid, kgid_t gid, void *priv, const void *ns)
{
	struct kernfs_node *kn = node_new(parent, name, mode | S_IFDIR, KERNFS_DIR);

	if (!kn)
		return ERR_PTR(-ENOMEM);
	kn->priv = priv;
	return node_add(kn);
}

struct kernfs_node *__kernfs_create_file(struct kernfs_node *parent, const char *name, umode_t mode,
					 kuid_t uid, kgid_t gid, loff_t size,
					 const struct kernfs_ops *ops, void *priv, const void *ns,
					 struct lock_class_key *key)
{
	struct kernfs_node *kn = node_new(parent, name, (mode & S_IALLUGO) | S_IFREG, KERNFS_FILE);

	if (!kn)
		return ERR_PTR(-ENOMEM);
	kn->attr.ops = ops;
	kn->attr.size = size;
	kn->priv = priv;
	return node_add(kn);
}

struct kernfs_node *kernfs_create_link(struct kernfs_node *parent, const char *name,
				       struct kernfs_node *target)
{
	struct kernfs_node *kn = node_new(parent, name, S_IFLNK | 0777, KERNFS_LINK);

	if (!kn)
		return ERR_PTR(-ENOMEM);
	kn->symlink.target_kn = target;
	kernfs_get(target);
	return node_add(kn);
}

struct kernfs_node *shim_kernfs_device(struct kernfs_node *parent, const char *name, umode_t mode,
				       dev_t rdev)
{
	struct kernfs_node *kn = node_new(parent, name, mode, KERNFS_FILE);

	if (!kn)
		return ERR_PTR(-ENOMEM);
	kn->iattr = kzalloc(sizeof(*kn->iattr), GFP_KERNEL);
	if (kn->iattr)
		kn->iattr->inode = shim_inode_new(mode, rdev);
	if (!kn->iattr || !kn->iattr->inode) {
		kfree(kn->iattr);
		kn->iattr = NULL;
		kernfs_put(kn);
		return ERR_PTR(-ENOMEM);
	}
	kn->iattr->inode->i_ino = kn->id;
	return node_add(kn);
}

/* ---- look-up ------------------------------------------------------------------------------------------ */

struct kernfs_node *kernfs_find_and_get_ns(struct kernfs_node *parent, const char *name,
					   const void *ns)
{
	struct kernfs_node *kn;

	if (kernfs_type(parent) != KERNFS_DIR)
		return NULL;
	mutex_lock(&tree_lock);
	kn = child_find(parent, name);
	kernfs_get(kn);
	mutex_unlock(&tree_lock);
	return kn;
}

struct kernfs_node *shim_kernfs_parent(struct kernfs_node *kn)
{
	struct kernfs_node *parent;

	mutex_lock(&tree_lock);
	parent = kn->parent ?: kn;
	kernfs_get(parent);
	mutex_unlock(&tree_lock);
	return parent;
}

/*
 * A device's node has one inode for good, since its mapping is that of all its open files. Others get one for as long as
 * it is used, which refers to the node.
 */
struct inode *shim_kernfs_inode(struct kernfs_node *kn)
{
	struct inode *inode;

	if (kn->iattr) {
		ihold(kn->iattr->inode);
		return kn->iattr->inode;
	}
	inode = shim_inode_new(kn->mode, 0);
	if (!inode)
		return NULL;
	inode->i_ino = kn->id;
	inode->i_size = S_ISREG(kn->mode) ? (kn->attr.size ?: PAGE_SIZE) : 0;
	inode->i_private = kn;
	kernfs_get(kn);
	return inode;
}

static unsigned int node_depth(const struct kernfs_node *kn)
{
	unsigned int depth = 0;

	while (kn->parent) {
		kn = kn->parent;
		depth++;
	}
	return depth;
}

static const struct kernfs_node *common_ancestor(const struct kernfs_node *a,
						 const struct kernfs_node *b)
{
	unsigned int depth_a = node_depth(a), depth_b = node_depth(b);

	for (; depth_a > depth_b; depth_a--)
		a = a->parent;
	for (; depth_b > depth_a; depth_b--)
		b = b->parent;
	while (a != b) {
		a = a->parent;
		b = b->parent;
	}
	return a;
}

/* Up from the link's directory to what it has in common with the target, then down. */
static int link_text(struct kernfs_node *kn, char *buf, size_t size)
{
	const struct kernfs_node *target = kn->symlink.target_kn, *at;
	const struct kernfs_node *common = common_ancestor(kn->parent, target);
	size_t length = 0, end;

	for (at = kn->parent; at != common; at = at->parent) {
		if (length + 3 >= size)
			return -ENAMETOOLONG;
		memcpy(buf + length, "../", 3);
		length += 3;
	}
	for (at = target; at != common; at = at->parent)
		length += strlen(at->name) + 1;
	if (length >= size)
		return -ENAMETOOLONG;
	end = length ? length - 1 : 0; /* the last name ends without a slash */
	buf[end] = '\0';
	for (at = target; at != common; at = at->parent) {
		size_t name = strlen(at->name);

		memcpy(buf + end - name, at->name, name);
		end -= name;
		if (at->parent != common)
			buf[--end] = '/';
	}
	return (int)strlen(buf);
}

int shim_kernfs_link_text(struct kernfs_node *kn, char *buf, size_t size)
{
	int ret;

	mutex_lock(&tree_lock);
	ret = link_text(kn, buf, size);
	mutex_unlock(&tree_lock);
	return ret;
}

/* ---- removal, renaming ------------------------------------------------------------------------------- */

/* The first node below `kn` that has no children itself, or `kn`. */
static struct kernfs_node *deepest(struct kernfs_node *kn)
{
	while (kernfs_type(kn) == KERNFS_DIR && kn->dir.children.rb_node)
		kn = rb_entry(rb_first(&kn->dir.children), struct kernfs_node, rb);
	return kn;
}

static void deny_new_users(struct kernfs_node *kn)
{
	struct rb_node *at;

	if (!(kn->flags & KERNFS_REMOVING)) {
		kn->flags |= KERNFS_REMOVING;
		atomic_add(ACTIVE_DENIED, &kn->active);
	}
	if (kernfs_type(kn) != KERNFS_DIR)
		return;
	for (at = rb_first(&kn->dir.children); at; at = rb_next(at))
		deny_new_users(rb_entry(at, struct kernfs_node, rb));
}

static void drain(struct kernfs_node *kn)
{
	wait_event(drain_wait, atomic_read(&kn->active) == ACTIVE_DENIED);
}

/* Removes a node with what is below it; returns when nobody uses any of it. */
static void node_remove_locked(struct kernfs_node *kn)
{
	struct kernfs_node *leaf;

	deny_new_users(kn);
	do {
		leaf = deepest(kn);
		kernfs_get(leaf);
		mutex_unlock(&tree_lock);
		drain(leaf);
		mutex_lock(&tree_lock);
		/* Somebody else may have removed it meanwhile */
		if (leaf == deepest(leaf) && child_unlink(leaf))
			kernfs_put(leaf);
		kernfs_put(leaf);
	} while (leaf != kn);
}

void kernfs_remove(struct kernfs_node *kn)
{
	if (!kn)
		return;
	mutex_lock(&tree_lock);
	kernfs_get(kn);
	if (!RB_EMPTY_NODE(&kn->rb))
		node_remove_locked(kn);
	kernfs_put(kn);
	mutex_unlock(&tree_lock);
}

int kernfs_remove_by_name_ns(struct kernfs_node *parent, const char *name, const void *ns)
{
	struct kernfs_node *kn;

	if (!parent)
		return -ENOENT;
	mutex_lock(&tree_lock);
	kn = child_find(parent, name);
	kernfs_get(kn);
	if (kn) {
		node_remove_locked(kn);
		kernfs_put(kn);
	}
	mutex_unlock(&tree_lock);
	return kn ? 0 : -ENOENT;
}

/* A node that is used by its caller, removed by that caller: the caller's own use does not count. */
bool kernfs_remove_self(struct kernfs_node *kn)
{
	bool first;

	mutex_lock(&tree_lock);
	node_put_active(kn);
	first = !(kn->flags & KERNFS_REMOVING);
	if (first)
		node_remove_locked(kn);
	atomic_inc(&kn->active);
	mutex_unlock(&tree_lock);
	return first;
}

int kernfs_rename_ns(struct kernfs_node *kn, struct kernfs_node *new_parent, const char *new_name,
		     const void *new_ns)
{
	struct kernfs_node *old_parent = kn->parent;
	const char *old_name = kn->name, *name = old_name;
	int ret = 0;

	if (strcmp(old_name, new_name)) {
		name = kstrdup(new_name, GFP_KERNEL);
		if (!name)
			return -ENOMEM;
	}
	mutex_lock(&tree_lock);
	if (!old_parent || (new_parent->flags & KERNFS_REMOVING))
		ret = old_parent ? -ENOENT : -EINVAL;
	else if (child_find(new_parent, name))
		ret = -EEXIST;
	if (!ret) {
		child_unlink(kn);
		kernfs_get(new_parent);
		kn->parent = new_parent;
		kn->name = name;
		kn->hash = name_hash(name);
		child_link(kn);
		kernfs_put(old_parent);
		name = old_name;
	}
	mutex_unlock(&tree_lock);
	if (name != kn->name)
		kfree(name);
	return ret;
}

/* ---- open attribute files --------------------------------------------------------------------------- */

struct open_attribute {
	struct kernfs_open_file of;
	char *page; /* what the attribute showed at the last read from its start */
	ssize_t shown;
};

static struct open_attribute *to_open(struct file *file)
{
	return file->private_data;
}

static int attribute_open(struct inode *inode, struct file *file)
{
	struct kernfs_node *kn = inode->i_private;
	const struct kernfs_ops *ops = kn->attr.ops;
	struct open_attribute *open;

	if (!node_get_active(kn))
		return -ENODEV;
	node_put_active(kn);
	/* Even root cannot read what nothing shows or write what nothing stores */
	if ((file->f_mode & FMODE_WRITE) && (!(kn->mode & 0222) || !ops->write))
		return -EACCES;
	if ((file->f_mode & FMODE_READ) && (!(kn->mode & 0444) || !ops->read))
		return -EACCES;
	open = kzalloc(sizeof(*open), GFP_KERNEL);
	if (!open)
		return -ENOMEM;
	mutex_init(&open->of.mutex);
	open->of.kn = kn;
	open->of.file = file;
	open->of.atomic_write_len = ops->atomic_write_len;
	kernfs_get(kn);
	file->private_data = open;
	return 0;
}

static int attribute_release(struct inode *inode, struct file *file)
{
	struct open_attribute *open = to_open(file);

	free_page((unsigned long)open->page);
	kernfs_put(open->of.kn);
	kfree(open);
	return 0;
}

/* Runs the attribute's show into the file's page. */
static ssize_t attribute_show(struct open_attribute *open, loff_t offset)
{
	struct kernfs_node *kn = open->of.kn;

	if (!open->page) {
		open->page = (char *)get_zeroed_page(GFP_KERNEL);
		if (!open->page)
			return -ENOMEM;
	}
	if (!node_get_active(kn))
		return -ENODEV;
	open->shown = kn->attr.ops->read(&open->of, open->page, PAGE_SIZE, offset);
	node_put_active(kn);
	return open->shown;
}

static ssize_t attribute_read(struct file *file, char __user *buf, size_t bytes, loff_t *pos)
{
	struct open_attribute *open = to_open(file);
	bool binary = open->of.kn->attr.size != 0;
	loff_t base;
	ssize_t ret;

	mutex_lock(&open->of.mutex);
	/* Text is shown when read from its start, then read from the page; binary data has no page of its own */
	ret = *pos == 0 || binary ? attribute_show(open, binary ? *pos : 0) : open->shown;
	base = binary ? 0 : *pos;
	if (ret > 0)
		ret = base >= ret ? 0 : min_t(ssize_t, (ssize_t)bytes, ret - (ssize_t)base);
	if (ret > 0 && copy_to_user(buf, open->page + base, (size_t)ret))
		ret = -EFAULT;
	if (ret > 0)
		*pos += ret;
	mutex_unlock(&open->of.mutex);
	return ret;
}

static ssize_t attribute_write(struct file *file, const char __user *buf, size_t bytes, loff_t *pos)
{
	struct open_attribute *open = to_open(file);
	struct kernfs_node *kn = open->of.kn;
	size_t length = min_t(size_t, bytes, PAGE_SIZE);
	ssize_t ret = -ENODEV;
	char *text;

	text = kmalloc(length + 1, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	if (copy_from_user(text, buf, length)) {
		kfree(text);
		return -EFAULT;
	}
	text[length] = '\0';
	mutex_lock(&open->of.mutex);
	if (node_get_active(kn)) {
		ret = kn->attr.ops->write(&open->of, text, length, *pos);
		node_put_active(kn);
	}
	mutex_unlock(&open->of.mutex);
	kfree(text);
	if (ret > 0)
		*pos += ret;
	return ret;
}

static loff_t attribute_llseek(struct file *file, loff_t offset, int whence)
{
	loff_t base = whence == SEEK_CUR ? file->f_pos : 0;

	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	if (base + offset < 0)
		return -EINVAL;
	file->f_pos = base + offset;
	return file->f_pos;
}

/* No attribute here announces a change: always readable and writable. */
static __poll_t attribute_poll(struct file *file, poll_table *wait)
{
	if (!node_get_active(to_open(file)->of.kn))
		return DEFAULT_POLLMASK | EPOLLERR | EPOLLPRI;
	node_put_active(to_open(file)->of.kn);
	return DEFAULT_POLLMASK;
}

const struct file_operations shim_kernfs_file_fops = {
	.open = attribute_open,
	.release = attribute_release,
	.read = attribute_read,
	.write = attribute_write,
	.llseek = attribute_llseek,
	.poll = attribute_poll,
};

/* ---- open directories ------------------------------------------------------------------------------- */

static int directory_open(struct inode *inode, struct file *file)
{
	file->private_data = inode->i_private;
	kernfs_get(inode->i_private);
	return 0;
}

static int directory_release(struct inode *inode, struct file *file)
{
	kernfs_put(file->private_data);
	return 0;
}

static ssize_t directory_read(struct file *file, char __user *buf, size_t bytes, loff_t *pos)
{
	return -EISDIR;
}

/* A position in a directory: 0 ".", 1 "..", then the names' hashes. */
static int directory_iterate(struct file *file, struct dir_context *ctx)
{
	struct kernfs_node *dir = file->private_data, *kn, *next;

	if (ctx->pos == 0) {
		if (!dir_emit(ctx, ".", 1, dir->id, DT_DIR))
			return 0;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		if (!dir_emit(ctx, "..", 2, dir->parent ? dir->parent->id : dir->id, DT_DIR))
			return 0;
		ctx->pos = 2;
	}
	if (ctx->pos > INT_MAX)
		return 0;
	kn = shim_kernfs_next(dir, (unsigned int)ctx->pos, NULL);
	while (kn) {
		unsigned int type = fs_umode_to_dtype(kn->mode);

		ctx->pos = kn->hash;
		if (!dir_emit(ctx, kn->name, (int)strlen(kn->name), kn->id, type)) {
			kernfs_put(kn);
			return 0;
		}
		next = shim_kernfs_next(dir, kn->hash + 1, kn);
		kernfs_put(kn);
		kn = next;
	}
	ctx->pos = (loff_t)INT_MAX + 1;
	return 0;
}

const struct file_operations shim_kernfs_dir_fops = {
	.open = directory_open,
	.release = directory_release,
	.read = directory_read,
	.iterate_shared = directory_iterate,
	.llseek = attribute_llseek,
};

/* ---- the tree's upper end ---------------------------------------------------------------------------- */

int shim_kernfs_init(void);

int shim_kernfs_init(void)
{
	shim_fs_root = node_new(NULL, "", S_IFDIR | 0755, KERNFS_DIR);
	if (!shim_fs_root)
		return -ENOMEM;
	shim_fs_sys = kernfs_create_dir_ns(shim_fs_root, "sys", 0755, GLOBAL_ROOT_UID,
					   GLOBAL_ROOT_GID, NULL, NULL);
	shim_fs_dev = kernfs_create_dir_ns(shim_fs_root, "dev", 0755, GLOBAL_ROOT_UID,
					   GLOBAL_ROOT_GID, NULL, NULL);
	return IS_ERR(shim_fs_sys) || IS_ERR(shim_fs_dev) ? -ENOMEM : 0;
}
