/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The one header that the kernel image and the simulator share. Plain C types only.
 *
 * The kernel image is a shared object: the kernel's own objects, unmodified, and the shim. The
 * simulator loads it, hands it a machine (struct machine_ops) and calls it as hardware and
 * programs call a kernel (struct kernel_ops): boot, system calls, exceptions, interrupts. Below
 * that, they meet only in simulated memory, device registers and interrupts.
 *
 * Times are picoseconds. `cpu` counts from 0. Calls marked (blocks) may let simulated time
 * pass and other threads run; they are made on a simulated thread.
 */
#ifndef KERNEL_SHIM_KERNEL_IMAGE_H
#define KERNEL_SHIM_KERNEL_IMAGE_H

typedef unsigned long long ki_u64;
typedef long long ki_s64;

#define KERNEL_IMAGE_ABI 2

/* Where simulated RAM and the page array lie in the host's address space: fixed, so that no result depends on where
 * the host maps things. Both are within what AddressSanitizer calls high memory. */
#define KI_RAM_HOST_BASE	0x200000000000ULL
#define KI_RAM_MAX_BYTES	0x10000000000ULL /* 1 TiB */
#define KI_PAGE_ARRAY_HOST_BASE 0x280000000000ULL

/* ---- costs and policies of the software side; the parameter table is the platform's ----------- */

struct kernel_params {
	unsigned int block_ps;	   /* one executed basic block of the kernel's own objects */
	unsigned int syscall_ns;   /* entry and exit */
	unsigned int exception_ns; /* entry and exit of a CPU page fault */
	unsigned int irq_entry_ns; /* from the CPU taking the interrupt to the handler, and back */
	unsigned int context_switch_ns;
	unsigned int wakeup_ns;	       /* try_to_wake_up(), on the waker */
	unsigned int ipi_ns;	       /* from a wake-up to the other, idle CPU's reaction */
	unsigned int idle_exit_ns;     /* leaving the idle loop */
	unsigned int lock_ns;	       /* uncontended acquire or release of a spinlock or mutex */
	unsigned int lock_transfer_ns; /* a contended lock's line moving to the next owner */
	unsigned int timeslice_us;
	unsigned int tick_hz;	     /* jiffies and timer wheel resolution */
	unsigned int timer_slack_us; /* of nanosleep() by an ordinary task */
	unsigned int alloc_page_ns;  /* page allocator, zeroing not included */
	unsigned int zero_page_ns;   /* zeroing 4 KiB */
	unsigned int copy_page_ns;   /* copying 4 KiB (copy-on-write) */
	unsigned int slab_ns;	     /* kmalloc or kfree */
	unsigned int pte_ns;	     /* installing or clearing one PTE, barriers included */
	unsigned int vma_ns;	     /* finding or changing one VMA */
	unsigned int table_walk_ns; /* a fault handler's way down the four levels of a page table */
	/* kernel.fault.*_extra_ns: what a stage of every I/O page fault takes longer. In the driver and in
	 * the response it occupies the CPU; a worker's start and handle_mm_fault() wait without one */
	unsigned int fault_extra_ns[4];	  /* by enum ki_fault_extra */
	unsigned int workqueue_ns;	  /* queueing a work item */
	unsigned int max_workers;	  /* of the unbound workqueue: fault handlers at once */
	unsigned int irq_affinity_spread; /* 0: all to CPU 0; 1: line modulo CPUs */
};

/* ---- what the simulator gives the kernel -------------------------------------------------------- */

/* CPU access attributes of copy_user and page_fault */
#define KI_READ	 1u
#define KI_WRITE 2u
#define KI_EXEC	 4u
#define KI_USER	 8u /* made in user mode; else by the kernel on behalf of the task (uaccess) */

enum ki_tlbi {
	KI_TLBI_ALL, /* everything of EL1&0 */
	KI_TLBI_ASID,
	KI_TLBI_VA,	 /* one address of one ASID, all levels */
	KI_TLBI_VA_LAST, /* leaf entries only */
};

/* fault stages that the software side knows; numbers of enum fault_stage in sim/stats/life.h */
enum ki_fault_stage {
	KI_FAULT_DRIVER = 2,
	KI_FAULT_REPORTED = 3,
	KI_FAULT_WORKER = 4,
	KI_FAULT_MM = 5,
	KI_FAULT_MM_DONE = 6,
	KI_FAULT_RESPONDED = 7,
};

/* Where kernel.fault.*_extra_ns adds */
enum ki_fault_extra {
	KI_EXTRA_DRIVER,  /* the event is being handled by the driver's interrupt thread */
	KI_EXTRA_WORKER,  /* the work item is taken up */
	KI_EXTRA_MM,	  /* in handle_mm_fault() */
	KI_EXTRA_RESPOND, /* before the response is written */
};

/*
 * What a fault handler's time is spent on, from the start of its work item to handle_mm_fault()'s end; names in
 * sim/stats/life.c
 */
enum ki_fault_part {
	KI_PART_PREPARE,   /* the way to handle_mm_fault(): finding mm and VMA */
	KI_PART_MMAP_LOCK, /* taking the mmap lock, waiting for it included */
	KI_PART_INJECTED,  /* kernel.fault.extra_ns */
	KI_PART_WALK,	   /* finding, and linking, page tables */
	KI_PART_ALLOC,	   /* the page allocator, for the page and for tables */
	KI_PART_ZERO,	   /* zeroing them */
	KI_PART_COPY,	   /* copy-on-write's copy */
	KI_PART_PTE,	   /* the table's lock, and writing the entry */
	KI_PART_OTHER,	   /* what else handle_mm_fault() does */
	KI_PART_COUNT,
};

struct machine_ops {
	/* constants of the machine */
	unsigned int nr_cpus;
	void *ram;	 /* = KI_RAM_HOST_BASE */
	ki_u64 ram_base; /* physical address of ram[0]; a multiple of 2 MiB */
	ki_u64 ram_bytes;
	unsigned int pa_bits;	/* ID_AA64MMFR0_EL1.PARange, in bits: 32, 36, 40, 42, 44, 48, 52 */
	unsigned int asid_bits; /* ID_AA64MMFR0_EL1.ASIDBits: 8 or 16 */
	unsigned int seed;

	/* time and host threads (sim/engine/engine.h): every task and every CPU's idle loop has one */
	ki_u64 (*now)(void);
	void *(*thread_start)(const char *name, void (*fn)(void *arg), void *arg);
	void *(*thread_self)(void);
	void (*thread_block)(void);		/* (blocks) */
	int (*thread_block_until)(ki_u64 when); /* (blocks) 1 if woken, 0 at `when` */
	void (*thread_wake)(void *thread);

	/* a one-shot event: fn(arg) in event context at `when`. One per `timer` handle; setting again moves it */
	void *(*timer_new)(void (*fn)(void *arg), void *arg);
	void (*timer_set)(void *timer, ki_u64 when);
	void (*timer_cancel)(void *timer);
	void (*timer_free)(void *timer);

	/* device registers through the bus (blocks). A write is posted: it returns when the interconnect has taken it,
	 * in order with earlier writes of that CPU; a read waits for them. Size 1, 2, 4 or 8 */
	ki_u64 (*mmio_read)(unsigned int cpu, ki_u64 pa, unsigned int size);
	void (*mmio_write)(unsigned int cpu, ki_u64 pa, ki_u64 value, unsigned int size);
	/* A store to memory that devices poll or are told about (barrier semantics): nothing but time */
	void (*barrier)(unsigned int cpu);

	/* the CPU's MMU: translation table base and ASID of the process that runs on it; 0, 0 = none (kernel thread) */
	void (*set_ttbr0)(unsigned int cpu, ki_u64 table_pa, unsigned int asid);
	/* Broadcast TLB maintenance with its DSB (blocks) */
	void (*tlbi)(unsigned int cpu, enum ki_tlbi op, unsigned int asid, ki_u64 va, ki_u64 pages);
	/* Stores whole lines of RAM in a row, as zeroing does: what memory makes of it, in ps; the data is moved already */
	ki_u64 (*stream_store)(unsigned int cpu, ki_u64 pa, ki_u64 bytes);
	/* Reads RAM: what memory makes of it, in ps */
	ki_u64 (*touch)(unsigned int cpu, ki_u64 pa, ki_u64 bytes);
	/* A value of the distribution that a stage's extra time has, of that mean; NULL: all are constant */
	ki_u64 (*fault_draw)(enum ki_fault_extra extra, ki_u64 mean_ps);
	/* The page allocator takes back [pa, pa + bytes); NULL: nobody wants to know */
	void (*frame_freed)(ki_u64 pa, ki_u64 bytes);
	/* Copies between the kernel and the current process through the CPU's MMU (blocks); calls page_fault() as needed.
	 * Returns the bytes that could not be copied */
	ki_u64 (*copy_user)(unsigned int cpu, ki_u64 user_va, void *buffer, ki_u64 bytes,
			    unsigned int access);

	/* Runs a program's function in user mode on the current task's thread (blocks): returns its exit code when the
	 * function returns, or when user_must_exit() told that the task has to end */
	int (*user_run)(void (*entry)(void *arg), void *arg);

	/* instruments; no effect on the machine */
	void (*log)(int level,
		    const char *line); /* printk, without newline; level as in the kernel, 0 … 7 */
	/* The simulator cannot go on: a kernel BUG or panic. Does not return */
	void (*panic)(const char *why);
	int trace_on; /* constant during a run */
	void (*trace_thread_new)(
		int tid, const char *name); /* before the other trace_thread_ calls for it */
	void (*trace_thread_end)(int tid, ki_u64 at);
	void (*trace_cpu_switch)(unsigned int cpu, int tid, const char *name,
				 ki_u64 at); /* tid 0: idle */
	void (*trace_function_enter)(int tid, const void *function, ki_u64 at);
	void (*trace_function_exit)(int tid, ki_u64 at);
	void (*trace_irq_enter)(unsigned int cpu, unsigned int line, const char *name, ki_u64 at);
	void (*trace_irq_exit)(unsigned int cpu, ki_u64 at);
	void (*fault_stamp)(unsigned int stream_id, unsigned int stag, enum ki_fault_stage stage,
			    ki_u64 at);
	/* ps by enum ki_fault_part of a fault that handle_mm_fault() has served; NULL: nobody wants to know */
	void (*fault_parts)(unsigned int stream_id, unsigned int stag, const ki_u64 *parts);
};

/* ---- what firmware tells the kernel about the hardware (a device tree in plain C) ---------------- */

#define KI_MAX_IRQS 4

struct boot_irq {
	const char
		*name; /* "eventq", "priq", "gerror", "combined"; a queue manager's: "eq", "aeq" */
	unsigned int line;
};

struct boot_device {
	const char *compatible; /* "arm,smmu-v3" or "svasim,qm" */
	const char *name;	/* unique, for example "smmu3.0", "accel0" */
	ki_u64 reg_base, reg_bytes;
	struct boot_irq irqs[KI_MAX_IRQS];
	unsigned int nr_irqs;
	int smmu; /* index into the array of boot devices of the SMMU in front of it; -1: none */
	unsigned int stream_id;
	unsigned int pasid_bits; /* pasid-num-bits; 0: no PASID */
	int can_stall;		 /* dma-can-stall */
	int numa_node;
};

struct boot_params {
	unsigned int abi; /* KERNEL_IMAGE_ABI */
	struct kernel_params params;
	const struct boot_device *devices; /* SMMUs before the devices behind them */
	unsigned int nr_devices;
	const char *
		command_line; /* kernel parameters, for example "arm_smmu_v3.disable_msipolling=1"; may be "" */
};

/* ---- what the kernel image gives the simulator ------------------------------------------------- */

/* Counters of the software side, read at the end of a run. */
struct kernel_counters {
	ki_u64 blocks; /* basic blocks of the kernel's own objects */
	ki_u64 syscalls, context_switches, interrupts, wakeups;
	ki_u64 migrations; /* tasks moved from one CPU's run queue to another's */
	ki_u64 cpu_faults; /* handle_mm_fault() for a CPU */
	ki_u64 io_faults;  /* handle_mm_fault() for a device */
	ki_u64 ptes_installed_cpu, ptes_installed_io;
	ki_u64 cow_copies, zero_page_maps;
	ki_u64 spinlock_contended, spinlock_wait_ps;
	ki_u64 owner_spin_ps; /* spinning for mutexes and rwsems whose owner runs */
	ki_u64 pages_allocated, pages_freed;
	ki_u64 works_executed;
	ki_u64 segfaults; /* tasks that were sent SIGSEGV or SIGBUS */
	ki_u64 warnings;  /* WARN, WARN_ON */
};

struct kernel_ops {
	unsigned int abi;
	const char *version; /* "6.12.117" */

	/* Boots on CPU 0 (blocks): memory, initcalls, devices probed. 0, or a negative errno with a line logged */
	int (*boot)(const struct machine_ops *machine, const struct boot_params *params);
	/* Removes the devices and checks for leaks (blocks), on the thread that booted, when all processes have ended.
	 * Returns the number of leaks; each has been logged at level 3 */
	int (*shutdown)(void);

	/* A new process of the given name: entry(arg) in user mode. Returns its pid, or a negative errno */
	int (*spawn)(const char *name, void (*entry)(void *arg), void *arg);
	/* Waits for a spawned process to end (blocks), on the thread that booted. Its wait status as of wait(2): exit code << 8 | signal */
	int (*wait)(int pid);

	/* A system call by the current task (blocks): number and structures of the asm-generic (AArch64) ABI.
	 * clone with a new process or thread takes entry function and argument as the sixth and seventh values */
	ki_s64 (*syscall)(ki_u64 number, const ki_u64 args[7]);
	/* A data abort by the current task (blocks). 0: translate again. Negative errno: no access; if KI_USER was given a
	 * signal is pending and user_must_exit() says so */
	int (*page_fault)(ki_u64 va, unsigned int access);
	/* True once the current task has a fatal signal: user mode must be left by returning from user_run() */
	int (*user_must_exit)(void);

	/* Takes a boot device off its bus, and with it whatever depends on it, by the current task (blocks): what a
	 * hot removal does, for devices whose driver offers no unbind attribute */
	void (*remove_device)(unsigned int index);

	/* User code's time on its CPU: adds up; charged before the next effect that others can see */
	void (*charge)(ki_u64 ps);
	/* Lets simulated time catch up with the CPU (blocks); interrupts are taken, the task may be preempted */
	void (*sync)(void);
	/* sim_now() plus what the CPU has added up and not waited for yet */
	ki_u64 (*local_time)(void);
	unsigned int (*current_cpu)(void);
	int (*current_tid)(void);
	/* As sync, then occupies the CPU until thread_wake() or `when` (blocks): a polling loop. Time slices still end it early.
	 * 1 if woken, else 0 */
	int (*poll_wait)(ki_u64 when);

	/* An interrupt line fires and is delivered to `cpu` (event context) */
	void (*interrupt)(unsigned int cpu, unsigned int line);
	/* A device's event (SEV) reaches all CPUs (event context) */
	void (*sev)(void);

	/* The verifier's look-up: page table of a process (0: the current task's), read only. Physical address, or ~0 if not mapped */
	ki_u64 (*peek_va)(int pid, ki_u64 va);
	void (*counters)(struct kernel_counters *out);

	/* Runs an in-image self-test by name (blocks) if the image was built with them: 0 passed, else the failing line.
	 * NULL name: `index` selects; returns -1 past the last; *name_out is set */
	int (*self_test)(const char *name, int index, const char **name_out);
};

/* The single exported symbol of the shared object. */
#define KERNEL_IMAGE_SYMBOL "svasim_kernel"
extern const struct kernel_ops svasim_kernel;

#endif
