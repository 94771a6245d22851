/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine as a program of it sees it: loads, stores, barriers, system calls.
 *
 * libwd and the programs are written against this header alone. Pointers into the process's
 * memory are ordinary C pointers that are never dereferenced: LOAD() and STORE() take them to the
 * CPU's MMU, at the cost of an access, and a page that is not there faults into the kernel. Locals
 * of a C function are the program's registers and stack. What threads share or a child must see
 * lives in the process's memory. Built for AArch64, LOAD and STORE would be plain accesses and
 * prog_syscall an SVC.
 */
#ifndef WORKLOADS_PROGRAM_H
#define WORKLOADS_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- memory: addresses of the process ------------------------------------------------------ */

uint64_t prog_load(uint64_t va, unsigned int size); /* 1, 2, 4 or 8 bytes, aligned */
void prog_store(uint64_t va, uint64_t value, unsigned int size);
/* Atomics with acquire and release semantics; size 4 or 8. Each returns the old value */
uint64_t prog_cas(uint64_t va, uint64_t expected, uint64_t desired, unsigned int size);
uint64_t prog_fetch_add(uint64_t va, uint64_t operand, unsigned int size);
uint64_t prog_swap(uint64_t va, uint64_t value, unsigned int size);
/* Block copies between locals and the process's memory: as many line-sized accesses as it takes */
void prog_read(void *local, uint64_t va, size_t bytes);
void prog_write(uint64_t va, const void *local, size_t bytes);

enum prog_barrier {
	PROG_DMB_LD, /* dma_rmb(): a completion's phase before its contents */
	PROG_DMB_ST, /* dma_wmb(): a descriptor before its doorbell */
	PROG_DSB,    /* device stores have left the CPU */
};
void prog_barrier(enum prog_barrier kind);

#define PROG_VA(p)  ((uint64_t)(uintptr_t)(p))
#define LOAD(p)	    ((__typeof__(*(p)))prog_load(PROG_VA(p), sizeof(*(p))))
#define STORE(p, v) prog_store(PROG_VA(p), (uint64_t)(v), sizeof(*(p)))

/* A pointer variable in memory: LOAD_PTR(&q->ring) */
#define LOAD_PTR(p)	((__typeof__(*(p)))(uintptr_t)prog_load(PROG_VA(p), sizeof(*(p))))
#define STORE_PTR(p, v) prog_store(PROG_VA(p), PROG_VA(v), sizeof(*(p)))

/* ---- time ------------------------------------------------------------------------------------ */

uint64_t prog_time_ps(void);	/* the virtual counter, in simulated time */
void prog_work_ns(uint64_t ns); /* computation that touches no shared memory */
/*
 * Keeps the CPU busy, as a polling loop does, until somebody else writes the line that holds `va` or until
 * `timeout_ns` has passed (0: no limit). May return early: the caller looks again. The line must have been loaded before.
 */
void prog_poll_line(uint64_t va, uint64_t timeout_ns);

/* ---- kernel ---------------------------------------------------------------------------------- */

/* Linux system call: numbers and structures of the asm-generic ABI, pointers are process addresses. Negative errno on error */
int64_t prog_syscall(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
		     uint64_t a4, uint64_t a5);
/* clone(2): the child begins in entry(arg) and ends when it returns (exit code 0) or calls prog_exit(). `arg` is a value, or an address
 * of the process; the same host pointer in parent and child would be shared state that a real fork does not share */
int64_t prog_fork(void (*entry)(void *arg), void *arg);
int64_t prog_thread(void (*entry)(void *arg),
		    void *arg);			    /* shares memory and files; returns its tid */
void prog_exit(int code) __attribute__((noreturn)); /* exit_group(2) */

/* ---- configuration and marks: no cost, no effect on the machine ---------------------------------- */

/* The workload's parameters, by their key without the leading "workload."; an unknown key is a bug */
uint64_t prog_param_u64(const char *key);
bool prog_param_bool(const char *key);
unsigned int prog_param_enum(const char *key);

/* Marks for the instruments (sim/stats/life.h): the life of a request, seen from the program */
void prog_mark_queue_open(unsigned int device, unsigned int queue, unsigned int depth);
void prog_mark_queue_close(unsigned int device, unsigned int queue);
void prog_mark_send(unsigned int device, unsigned int queue, unsigned int index);
void prog_mark_submitted(unsigned int device, unsigned int queue, unsigned int index);
void prog_mark_received(unsigned int device, unsigned int queue, unsigned int index, uint64_t bytes,
			bool ok);
/* Progress of the run: requests finished and expected, added up over all programs */
void prog_mark_expected(uint64_t requests);
/* Ends the run with exit status 1 and this line, once all programs have ended: data is wrong, a request failed */
void prog_mark_failure(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- the verifier: looks through the page table without touching, filling or timing anything ------- */

/* Copies what the process's memory holds. false if a page is not mapped */
bool prog_verify_read(void *local, uint64_t va, size_t bytes);
bool prog_verify_mapped(uint64_t va);

/* ---- programs ----------------------------------------------------------------------------------- */

struct param_desc;

/* What a program may count on: known before it runs. */
struct workload_machine {
	uint64_t ram_bytes;
	unsigned int accelerators;
	unsigned int queues;	  /* of one accelerator */
	unsigned int queue_depth; /* entries of a new queue's ring, of which one stays free */
	uint64_t request_bytes;	  /* the longest request */
};

struct workload {
	const char *name;
	const char *help;
	void (*main)(void *arg);	 /* first process of the run; arg is NULL */
	const struct param_desc *params; /* keys below "workload." */
	size_t param_count;
	void *values; /* the struct that they fill in */
	/* NULL, or whether the parameters suit each other and the machine: 0, or -1 with a line in `error` of at least 256
	 * bytes: "workload.KEY: VALUE: what is wrong (allowed: ...)" */
	int (*check)(const struct workload_machine *machine, char *error, size_t size);
};

#endif
