// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inodes, open files and file-descriptor tables (fs/inode.c, fs/file_table.c, fs/file.c, fs/open.c).
 *
 * A file is released where the kernel releases it: by close(2) itself; after any other last fput(), when the
 * task returns to user mode (task work), since the caller may hold locks that the release wants; from kernel threads and
 * interrupts by a work item.
 *
 * Not modelled: dentries, mounts, inode caches, leases, locks, fasync.
 */
#include <linux/cdev.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/workqueue.h>

#include "shim.h"
#include "fs.h"

#define FDS_INITIAL 64u
#define FDS_MAX	    65536u /* RLIMIT_NOFILE */

unsigned int shim_cdevs_live(void);

/* ---- inodes --------------------------------------------------------------------------------------------- */

static void mapping_init(struct address_space *mapping, struct inode *host)
{
	mapping->host = host;
	mapping->i_mmap = RB_ROOT_CACHED;
	mapping->gfp_mask = GFP_HIGHUSER;
	xa_init_flags(&mapping->i_pages, XA_FLAGS_LOCK_IRQ | XA_FLAGS_ACCOUNT);
	init_rwsem(&mapping->invalidate_lock);
	init_rwsem(&mapping->i_mmap_rwsem);
	spin_lock_init(&mapping->i_private_lock);
	INIT_LIST_HEAD(&mapping->i_private_list);
}

struct inode *shim_inode_new(umode_t mode, dev_t rdev)
{
	struct inode *inode = kzalloc(sizeof(*inode), GFP_KERNEL);

	if (!inode)
		return NULL;
	inode->i_mode = mode;
	inode->i_rdev = rdev;
	inode->__i_nlink = S_ISDIR(mode) ? 2 : 1;
	inode->i_blkbits = PAGE_SHIFT;
	atomic_set(&inode->i_count, 1);
	spin_lock_init(&inode->i_lock);
	init_rwsem(&inode->i_rwsem);
	INIT_LIST_HEAD(&inode->i_devices);
	inode->i_mapping = &inode->i_data;
	mapping_init(&inode->i_data, inode);
	if (S_ISCHR(mode))
		inode->i_fop = &def_chr_fops;
	else if (S_ISDIR(mode))
		inode->i_fop = &shim_kernfs_dir_fops;
	else
		inode->i_fop = &shim_kernfs_file_fops;
	return inode;
}

void ihold(struct inode *inode)
{
	WARN_ON(atomic_inc_return(&inode->i_count) < 2);
}

void iput(struct inode *inode)
{
	if (!inode || !atomic_dec_and_test(&inode->i_count))
		return;
	WARN_ON(!RB_EMPTY_ROOT(&inode->i_data.i_mmap.rb_root));
	if (S_ISCHR(inode->i_mode) && inode->i_cdev)
		cd_forget(inode);
	kernfs_put(inode->i_private); /* the node that it was made for, if any */
	kfree(inode);
}

/* ---- open files ------------------------------------------------------------------------------------------- */

struct shim_file {
	struct file file;      /* first */
	struct list_head live; /* all open files, for the leak check */
	char name[NAME_MAX + 1];
};

static LIST_HEAD(files_live);
static DEFINE_SPINLOCK(files_live_lock);

static struct shim_file *file_alloc(const char *name)
{
	struct shim_file *open = kzalloc(sizeof(*open), GFP_KERNEL);

	if (!open)
		return NULL;
	strscpy(open->name, name, sizeof(open->name));
	atomic_long_set(&open->file.f_count, 1);
	spin_lock_init(&open->file.f_lock);
	mutex_init(&open->file.f_pos_lock);
	spin_lock(&files_live_lock);
	list_add_tail(&open->live, &files_live);
	spin_unlock(&files_live_lock);
	return open;
}

static void file_free(struct file *file)
{
	struct shim_file *open = container_of(file, struct shim_file, file);

	spin_lock(&files_live_lock);
	list_del(&open->live);
	spin_unlock(&files_live_lock);
	iput(file->f_inode);
	kfree(open);
}

static void set_modes(struct file *file)
{
	file->f_mode |= FMODE_OPENED | FMODE_PREAD | FMODE_PWRITE;
	if (file->f_op->llseek)
		file->f_mode |= FMODE_LSEEK;
	if ((file->f_mode & FMODE_READ) && file->f_op->read)
		file->f_mode |= FMODE_CAN_READ;
	if ((file->f_mode & FMODE_WRITE) && file->f_op->write)
		file->f_mode |= FMODE_CAN_WRITE;
}

struct file *shim_file_open(struct inode *inode, const char *name, unsigned int flags)
{
	struct shim_file *open = file_alloc(name);
	struct file *file;
	int ret = 0;

	if (!open) {
		iput(inode);
		return ERR_PTR(-ENOMEM);
	}
	file = &open->file;
	file->f_inode = inode;
	file->f_mapping = inode->i_mapping;
	file->f_flags = flags & ~(unsigned int)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
	file->f_mode = OPEN_FMODE(flags);
	file->f_op = inode->i_fop;
	if (file->f_op->open)
		ret = file->f_op->open(inode, file);
	if (ret) {
		file_free(file);
		return ERR_PTR(ret);
	}
	set_modes(file);
	return file;
}

static void file_release(struct file *file)
{
	struct inode *inode = file->f_inode;

	if (file->f_op->release)
		file->f_op->release(inode, file);
	if (S_ISCHR(inode->i_mode))
		cdev_put(inode->i_cdev);
	file_free(file);
}

static LLIST_HEAD(delayed_files);

void flush_delayed_fput(void)
{
	struct llist_node *list = llist_del_all(&delayed_files);
	struct file *file, *next;

	llist_for_each_entry_safe(file, next, list, f_llist) file_release(file);
}

static void delayed_fput(struct work_struct *work)
{
	flush_delayed_fput();
}
static DECLARE_WORK(delayed_fput_work, delayed_fput);

static void task_work_release(struct callback_head *work)
{
	file_release(container_of(work, struct file, f_task_work));
}

void fput(struct file *file)
{
	if (!atomic_long_dec_and_test(&file->f_count))
		return;
	if (!in_interrupt() && !(current->flags & PF_KTHREAD)) {
		init_task_work(&file->f_task_work, task_work_release);
		if (!task_work_add(current, &file->f_task_work, TWA_RESUME))
			return;
	}
	if (llist_add(&file->f_llist, &delayed_files))
		schedule_work(&delayed_fput_work);
}

void __fput_sync(struct file *file)
{
	if (atomic_long_dec_and_test(&file->f_count))
		file_release(file);
}

/* ---- file-descriptor tables --------------------------------------------------------------------------------- */

struct shim_files {
	refcount_t count; /* tasks that share it */
	spinlock_t lock;
	unsigned int max;    /* size of the arrays */
	struct file **file;  /* NULL: free, or reserved */
	unsigned long *open; /* reserved or in use */
	unsigned long *cloexec;
};

static unsigned int tables_live;

static int table_alloc(struct shim_files *files, unsigned int max)
{
	files->file = kcalloc(max, sizeof(*files->file), GFP_KERNEL);
	files->open = bitmap_zalloc(max, GFP_KERNEL);
	files->cloexec = bitmap_zalloc(max, GFP_KERNEL);
	files->max = max;
	if (files->file && files->open && files->cloexec)
		return 0;
	kfree(files->file);
	bitmap_free(files->open);
	bitmap_free(files->cloexec);
	return -ENOMEM;
}

struct shim_files *shim_files_new(void)
{
	struct shim_files *files = kzalloc(sizeof(*files), GFP_KERNEL);

	if (!files)
		return NULL;
	refcount_set(&files->count, 1);
	spin_lock_init(&files->lock);
	if (table_alloc(files, FDS_INITIAL)) {
		kfree(files);
		return NULL;
	}
	tables_live++;
	return files;
}

struct shim_files *shim_files_get(struct shim_files *files)
{
	if (files)
		refcount_inc(&files->count);
	return files;
}

static void table_free(struct shim_files *files)
{
	kfree(files->file);
	bitmap_free(files->open);
	bitmap_free(files->cloexec);
}

/* Copies the slots of a table into a larger one, whose bits beyond are clear. */
static void table_copy(struct shim_files *to, const struct shim_files *from)
{
	memcpy(to->file, from->file, from->max * sizeof(*from->file));
	bitmap_copy(to->open, from->open, from->max);
	bitmap_copy(to->cloexec, from->cloexec, from->max);
}

struct shim_files *shim_files_dup(struct shim_files *files)
{
	struct shim_files *copy = shim_files_new();
	unsigned int max;

	if (!copy)
		return NULL;
	spin_lock(&files->lock);
	while (copy->max < files->max) {
		max = files->max;
		spin_unlock(&files->lock);
		table_free(copy);
		if (table_alloc(copy, max)) {
			kfree(copy);
			tables_live--;
			return NULL;
		}
		spin_lock(&files->lock);
	}
	table_copy(copy, files);
	for (unsigned int fd = 0; fd < files->max; fd++) {
		if (copy->file[fd])
			get_file(copy->file[fd]);
		else
			clear_bit(fd, copy->open); /* reserved by an open that is under way */
	}
	spin_unlock(&files->lock);
	return copy;
}

static void file_close(struct file *file, struct shim_files *owner)
{
	if (file->f_op->flush)
		file->f_op->flush(file, owner);
	fput(file);
}

static void table_close(struct shim_files *files)
{
	for (unsigned int fd = 0; fd < files->max; fd++)
		if (files->file[fd])
			file_close(files->file[fd], files);
	table_free(files);
	kfree(files);
	tables_live--;
}

void shim_files_put(struct shim_files *files)
{
	if (!files)
		return;
	if (refcount_dec_and_test(&files->count))
		table_close(files);
	/* exit_task_work(): what the task had to release when leaving the kernel, it releases now */
	if (!(current->flags & PF_KTHREAD))
		task_work_run();
}

static struct shim_files *current_files(void)
{
	return shim_task(current)->files;
}

/* Makes room for `wanted` descriptors; called and returns with the lock held, which it may let go. */
static int table_expand(struct shim_files *files, unsigned int wanted)
{
	while (files->max < wanted) {
		struct shim_files larger = {}, old;
		unsigned int max = roundup_pow_of_two(wanted);

		spin_unlock(&files->lock);
		if (table_alloc(&larger, max)) {
			spin_lock(&files->lock);
			return -EMFILE;
		}
		spin_lock(&files->lock);
		old.file = larger.file;
		old.open = larger.open;
		old.cloexec = larger.cloexec;
		if (files->max < max) { /* else somebody else was faster */
			table_copy(&larger, files);
			swap(files->file, old.file);
			swap(files->open, old.open);
			swap(files->cloexec, old.cloexec);
			files->max = max;
		}
		spin_unlock(&files->lock);
		table_free(&old);
		spin_lock(&files->lock);
	}
	return 0;
}

/* Reserves the lowest free descriptor from `from` on. */
static int fd_reserve(struct shim_files *files, unsigned int from, unsigned int flags)
{
	unsigned int fd;
	int ret = -EMFILE;

	spin_lock(&files->lock);
	do {
		fd = from < files->max ? find_next_zero_bit(files->open, files->max, from) : from;
		if (fd >= FDS_MAX)
			goto out;
		ret = fd < files->max ? 0 : table_expand(files, fd + 1);
		if (ret)
			goto out;
	} while (test_bit(fd, files->open));
	set_bit(fd, files->open);
	assign_bit(fd, files->cloexec, flags & O_CLOEXEC);
	ret = (int)fd;
out:
	spin_unlock(&files->lock);
	return ret;
}

int get_unused_fd_flags(unsigned int flags)
{
	return fd_reserve(current_files(), 0, flags);
}

void put_unused_fd(unsigned int fd)
{
	struct shim_files *files = current_files();

	spin_lock(&files->lock);
	clear_bit(fd, files->open);
	clear_bit(fd, files->cloexec);
	spin_unlock(&files->lock);
}

void fd_install(unsigned int fd, struct file *file)
{
	struct shim_files *files = current_files();

	spin_lock(&files->lock);
	WARN_ON(files->file[fd]);
	files->file[fd] = file;
	spin_unlock(&files->lock);
}

struct file *fget(unsigned int fd)
{
	struct shim_files *files = current_files();
	struct file *file = NULL;

	if (!files)
		return NULL;
	spin_lock(&files->lock);
	if (fd < files->max)
		file = files->file[fd];
	if (file)
		get_file(file);
	spin_unlock(&files->lock);
	return file;
}

int f_dupfd(unsigned int from, struct file *file, unsigned int flags)
{
	int fd;

	if (from >= FDS_MAX)
		return -EINVAL;
	fd = fd_reserve(current_files(), from, flags);
	if (fd >= 0)
		fd_install((unsigned int)fd, get_file(file));
	return fd;
}

/* Puts the file at exactly this descriptor; what was open there is closed. Consumes no reference. */
int replace_fd(unsigned int fd, struct file *file, unsigned int flags)
{
	struct shim_files *files = current_files();
	struct file *old;
	int ret;

	if (fd >= FDS_MAX)
		return -EBADF;
	spin_lock(&files->lock);
	ret = table_expand(files, fd + 1);
	if (ret)
		goto out;
	old = files->file[fd];
	if (!old && test_bit(fd, files->open)) {
		ret = -EBUSY; /* an open is under way that will use it */
		goto out;
	}
	set_bit(fd, files->open);
	assign_bit(fd, files->cloexec, flags & O_CLOEXEC);
	files->file[fd] = get_file(file);
	spin_unlock(&files->lock);
	if (old)
		file_close(old, files);
	return (int)fd;
out:
	spin_unlock(&files->lock);
	return ret;
}

int shim_fd_close(unsigned int fd)
{
	struct shim_files *files = current_files();
	struct file *file = NULL;
	int ret = 0;

	spin_lock(&files->lock);
	if (fd < files->max)
		file = files->file[fd];
	if (file) {
		files->file[fd] = NULL;
		clear_bit(fd, files->open);
		clear_bit(fd, files->cloexec);
	}
	spin_unlock(&files->lock);
	if (!file)
		return -EBADF;
	if (file->f_op->flush)
		ret = file->f_op->flush(file, files);
	__fput_sync(file);
	return ret;
}

void set_close_on_exec(unsigned int fd, int flag)
{
	struct shim_files *files = current_files();

	spin_lock(&files->lock);
	if (fd < files->max && files->file[fd])
		assign_bit(fd, files->cloexec, flag);
	spin_unlock(&files->lock);
}

bool get_close_on_exec(unsigned int fd)
{
	struct shim_files *files = current_files();
	bool set;

	spin_lock(&files->lock);
	set = fd < files->max && test_bit(fd, files->cloexec);
	spin_unlock(&files->lock);
	return set;
}

/* ---- leaks ---------------------------------------------------------------------------------------------------- */

int shim_fs_check_leaks(void)
{
	struct shim_file *open;
	int leaks = 0;

	flush_delayed_fput();
	list_for_each_entry(open, &files_live, live)
	{
		pr_err("leak: file %s is still open (%ld references)\n", open->name,
		       atomic_long_read(&open->file.f_count));
		leaks++;
	}
	if (tables_live) {
		pr_err("leak: %u file-descriptor tables\n", tables_live);
		leaks += (int)tables_live;
	}
	if (shim_cdevs_live()) {
		pr_err("leak: %u character devices\n", shim_cdevs_live());
		leaks += (int)shim_cdevs_live();
	}
	return leaks;
}
