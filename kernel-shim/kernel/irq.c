/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts: a line fires on a CPU, whose hard handler runs in interrupt context and may ask for its thread, a
 * real-time task. A one-shot line is masked until its thread is done; what fires meanwhile is
 * remembered, once. Lines are wired; virq = line + 1.
 *
 * Not modelled: shared lines, priorities, an interrupt controller's registers, MSIs.
 */
#include <linux/device.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "kernel.h"

struct irq_action {
	irq_handler_t handler, thread_fn;
	void *dev_id;
	char name[48];
	unsigned long flags;
	struct task_struct *thread;
	bool thread_pending, thread_active;
};

struct irq_line {
	struct irq_action *action;
	struct list_head pending; /* on a CPU's list */
	unsigned int disable_depth;
	bool masked;	 /* one-shot: its thread is not done */
	bool remembered; /* fired while masked or disabled */
	bool in_handler;
	unsigned int cpu; /* where it was delivered last */
};

static struct irq_line lines[SHIM_IRQ_LINES];
static DECLARE_WAIT_QUEUE_HEAD(threads_idle); /* a handler is done: for synchronize_irq() */

static struct irq_line *line_of(unsigned int virq)
{
	return virq && virq <= SHIM_IRQ_LINES ? &lines[virq - 1] : NULL;
}

static void deliver(struct irq_line *line)
{
	struct shim_cpu *cpu = &shim_cpus[line->cpu];

	if (!list_empty(&line->pending))
		return;
	if (line->masked || line->disable_depth) {
		line->remembered = true;
		return;
	}
	list_add_tail(&line->pending, &cpu->irqs);
	cpu_kick(cpu);
}

/* The hardware's side, in event context */
void irq_raise(unsigned int cpu, unsigned int number)
{
	struct irq_line *line = number < SHIM_IRQ_LINES ? &lines[number] : NULL;

	if (!line || !line->action || cpu >= shim_nr_cpus)
		return; /* nobody has asked for it: the controller keeps it off */
	event_enter();
	line->cpu = cpu;
	deliver(line);
	event_exit();
}

static void unmask(struct irq_line *line)
{
	line->masked = false;
	if (line->remembered && !line->disable_depth) {
		line->remembered = false;
		deliver(line);
	}
}

static void handle(struct irq_line *line, unsigned int virq)
{
	struct irq_action *action = line->action;
	irqreturn_t result = IRQ_WAKE_THREAD;

	line->in_handler = true;
	if (action->handler)
		result = action->handler((int)virq, action->dev_id);
	line->in_handler = false;
	if (result != IRQ_WAKE_THREAD || !action->thread) {
		wake_up_all(&threads_idle);
		return;
	}
	line->masked = action->flags & IRQF_ONESHOT;
	action->thread_pending = true;
	sched_bind(action->thread, line->cpu); /* as the kernel does, to where the interrupt goes */
	wake_up_process(action->thread);
}

void irqs_run(struct shim_cpu *cpu)
{
	while (!list_empty(&cpu->irqs)) {
		struct irq_line *line = list_first_entry(&cpu->irqs, struct irq_line, pending);
		unsigned int number = (unsigned int)(line - lines);

		list_del_init(&line->pending);
		if (!line->action)
			continue;
		if (host->trace_on)
			host->trace_irq_enter(cpu->id, number, line->action->name,
					      shim_local_time());
		handle(line, shim_virq(number));
		if (host->trace_on)
			host->trace_irq_exit(cpu->id, shim_local_time());
	}
}

/* ---- threads ------------------------------------------------------------------------------------------ */

static int irq_thread(void *data)
{
	struct irq_line *line = data;
	struct irq_action *action = line->action;
	int virq = (int)shim_virq((unsigned int)(line - lines));

	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (action->thread_pending) {
			__set_current_state(TASK_RUNNING);
			action->thread_pending = false;
			action->thread_active = true;
			action->thread_fn(virq, action->dev_id);
			action->thread_active = false;
			if (!action->thread_pending)
				unmask(line);
			wake_up_all(&threads_idle);
			continue;
		}
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

int request_threaded_irq(unsigned int irq, irq_handler_t handler, irq_handler_t thread_fn,
			 unsigned long flags, const char *name, void *dev_id)
{
	struct irq_line *line = line_of(irq);
	struct irq_action *action;

	if (!line || (!handler && (!thread_fn || !(flags & IRQF_ONESHOT))))
		return -EINVAL;
	if (line->action)
		return -EBUSY;
	action = kzalloc(sizeof(*action), GFP_KERNEL);
	if (!action)
		return -ENOMEM;
	action->handler = handler;
	action->thread_fn = thread_fn;
	action->flags = flags;
	action->dev_id = dev_id;
	strscpy(action->name, name ? name : "irq", sizeof(action->name));
	line->action = action;
	line->masked = false;
	line->remembered = false;
	line->disable_depth = flags & IRQF_NO_AUTOEN ? 1 : 0;
	if (!thread_fn)
		return 0;
	action->thread = kthread_create(irq_thread, line, "irq/%u-%s", irq, action->name);
	if (IS_ERR(action->thread)) {
		line->action = NULL;
		kfree(action);
		return -ENOMEM;
	}
	sched_set_fifo(action->thread);
	get_task_struct(action->thread);
	wake_up_process(action->thread);
	return 0;
}

static bool line_quiet(const struct irq_line *line)
{
	return !line->in_handler && list_empty(&line->pending) &&
	       (!line->action || (!line->action->thread_pending && !line->action->thread_active));
}

void synchronize_irq(unsigned int irq)
{
	struct irq_line *line = line_of(irq);

	if (line)
		wait_event(threads_idle, line_quiet(line));
}

const void *free_irq(unsigned int irq, void *dev_id)
{
	struct irq_line *line = line_of(irq);
	struct irq_action *action = line ? line->action : NULL;

	if (!action || action->dev_id != dev_id) {
		WARN(1, "Trying to free IRQ %u that is not requested\n", irq);
		return NULL;
	}
	line->disable_depth++;
	list_del_init(&line->pending);
	line->remembered = false;
	while (line->in_handler)
		cpu_relax();
	if (action->thread)
		kthread_stop_put(action->thread);
	line->action = NULL;
	line->disable_depth = 0;
	kfree(action);
	return NULL;
}

struct irq_devres {
	unsigned int irq;
	void *dev_id;
};

static void devm_irq_release(struct device *dev, void *res)
{
	struct irq_devres *this = res;

	free_irq(this->irq, this->dev_id);
}

static int devm_irq_match(struct device *dev, void *res, void *data)
{
	struct irq_devres *this = res, *match = data;

	return this->irq == match->irq && this->dev_id == match->dev_id;
}

int devm_request_threaded_irq(struct device *dev, unsigned int irq, irq_handler_t handler,
			      irq_handler_t thread_fn, unsigned long irqflags, const char *devname,
			      void *dev_id)
{
	struct irq_devres *dr = devres_alloc(devm_irq_release, sizeof(*dr), GFP_KERNEL);
	int error;

	if (!dr)
		return -ENOMEM;
	error = request_threaded_irq(irq, handler, thread_fn, irqflags,
				     devname ? devname : dev_name(dev), dev_id);
	if (error) {
		devres_free(dr);
		return error;
	}
	dr->irq = irq;
	dr->dev_id = dev_id;
	devres_add(dev, dr);
	return 0;
}

void devm_free_irq(struct device *dev, unsigned int irq, void *dev_id)
{
	struct irq_devres match = {irq, dev_id};

	WARN_ON(devres_release(dev, devm_irq_release, devm_irq_match, &match));
}

void disable_irq_nosync(unsigned int irq)
{
	struct irq_line *line = line_of(irq);

	if (!line)
		return;
	line->disable_depth++;
	if (!list_empty(&line->pending)) {
		list_del_init(&line->pending);
		line->remembered = true;
	}
}

void disable_irq(unsigned int irq)
{
	disable_irq_nosync(irq);
	synchronize_irq(irq);
}

void enable_irq(unsigned int irq)
{
	struct irq_line *line = line_of(irq);

	if (!line || WARN_ON(!line->disable_depth))
		return;
	if (!--line->disable_depth && !line->masked)
		unmask(line);
}

void irqs_init(void)
{
	unsigned int i;

	for (i = 0; i < SHIM_IRQ_LINES; i++)
		INIT_LIST_HEAD(&lines[i].pending);
}

int shim_irq_check_leaks(void)
{
	unsigned int i;
	int leaks = 0;

	for (i = 0; i < SHIM_IRQ_LINES; i++) {
		if (!lines[i].action)
			continue;
		shim_leak("interrupt line %u (%s) was not freed", i, lines[i].action->name);
		leaks++;
	}
	return leaks;
}
