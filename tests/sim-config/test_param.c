/* SPDX-License-Identifier: BSD-3-Clause */
/* Parameters: defaults, files, assignments, and what a mistake in any of them is answered with. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/config/param.h"

struct widget {
	uint64_t bytes;
	uint32_t slots;
	uint32_t sets;
	bool enabled;
	uint32_t policy;
	double ratio;
	const char *label;
};

struct fault {
	uint64_t extra_ns;
};

static const char *const policies[] = {"fifo", "round_robin", NULL};

static const struct param_desc widget_descs[] = {
	PARAM_U64_(widget, bytes, 4096, 1, UINT64_MAX, "Size.", "assumed"),
	PARAM_U32_(widget, slots, 16, 1, 1000, "Slots.", "assumed"),
	PARAM_POW2_(widget, sets, 64, 1, 1024, "Sets.", "assumed"),
	PARAM_BOOL_(widget, enabled, true, "Switch.", "assumed"),
	PARAM_ENUM_(widget, policy, "fifo", policies, "Order.", "assumed"),
	PARAM_F64_(widget, ratio, 0.5, 0, 1, "Ratio.", "assumed"),
	PARAM_STRING_(widget, label, "none", "Label.", "assumed"),
};

static const struct param_desc fault_descs[] = {
	PARAM_U64_(fault, extra_ns, 0, 0, 1000000, "Added latency.", "assumed"),
};

static struct widget widget;
static struct fault fault;
static struct param_set *set;
static struct param_error error;
static char folder[64];

static void set_up(void)
{
	const struct param_group groups[] = {
		{"widget", widget_descs, sizeof(widget_descs) / sizeof(widget_descs[0]), &widget},
		{"kernel.fault", fault_descs, 1, &fault},
	};

	set = param_set_new(groups, 2);
	strcpy(folder, "/tmp/test_param.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
}

static void tear_down(void)
{
	char command[128];

	param_set_free(set);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static int load(const char *text)
{
	write_file("m.yaml", text);
	return param_load_yaml(set, "m.yaml", &error);
}

/* ---- what works --------------------------------------------------------------------------- */

START_TEST(test_defaults_are_applied)
{
	ck_assert_uint_eq(widget.bytes, 4096);
	ck_assert_uint_eq(widget.slots, 16);
	ck_assert_uint_eq(widget.sets, 64);
	ck_assert(widget.enabled);
	ck_assert_uint_eq(widget.policy, 0);
	ck_assert_double_eq(widget.ratio, 0.5);
	ck_assert_str_eq(widget.label, "none");
	ck_assert_str_eq(param_description(set), "");
}
END_TEST

START_TEST(test_file_sets_values)
{
	ck_assert_int_eq(load("description: A small machine\n"
			      "widget:\n"
			      "  bytes: 0x10\n"
			      "  slots: 1000 # the most\n"
			      "  sets: 1KiB\n"
			      "  enabled: off\n"
			      "  policy: round_robin\n"
			      "  ratio: 1e-3\n"
			      "  label: \"a: b\"\n"
			      "kernel: {fault: {extra_ns: 7}}\n"),
			 0);
	ck_assert_uint_eq(widget.bytes, 16);
	ck_assert_uint_eq(widget.slots, 1000);
	ck_assert_uint_eq(widget.sets, 1024);
	ck_assert(!widget.enabled);
	ck_assert_uint_eq(widget.policy, 1);
	ck_assert_double_eq(widget.ratio, 1e-3);
	ck_assert_str_eq(widget.label, "a: b");
	ck_assert_uint_eq(fault.extra_ns, 7);
	ck_assert_str_eq(param_description(set), "A small machine");
}
END_TEST

static const char *const harmless[] = {
	"",
	"# nothing\n",
	"---\n",
	"widget:\n",
	"widget: {}\n",
	"kernel:\n  fault:\n",
	"widget.slots: 16\n",
};

START_TEST(test_harmless_file)
{
	ck_assert_msg(!load(harmless[_i]), "%s", error.text);
	ck_assert_uint_eq(widget.slots, 16);
}
END_TEST

START_TEST(test_included_file_is_applied_first)
{
	ck_assert_int_eq(system("mkdir base"), 0);
	write_file("base/deep.yaml", "description: deep\nwidget: {slots: 1, sets: 1, bytes: 1}\n");
	write_file("base/base.yaml", "widget: {slots: 2, sets: 2}\ninclude: deep.yaml\n");
	ck_assert_msg(!load("widget: {slots: 3}\ninclude: base/base.yaml\n"), "%s", error.text);
	ck_assert_uint_eq(widget.slots, 3);
	ck_assert_uint_eq(widget.sets, 2);
	ck_assert_uint_eq(widget.bytes, 1);
	ck_assert_str_eq(param_description(set), "");
}
END_TEST

static const struct {
	const char *assignment;
	uint64_t bytes;
} sizes[] = {
	{"widget.bytes=1", 1},
	{"widget.bytes=0xff", 255},
	{"widget.bytes=64KiB", 65536},
	{"widget.bytes=3 MiB", 3 << 20},
	{"widget.bytes=2GiB", 2ull << 30},
	{"widget.bytes=1TiB", 1ull << 40},
	{"widget.bytes=18446744073709551615", UINT64_MAX},
};

START_TEST(test_assignment_of_a_size)
{
	ck_assert_msg(!param_assign(set, "-s", sizes[_i].assignment, &error), "%s", error.text);
	ck_assert_uint_eq(widget.bytes, sizes[_i].bytes);
}
END_TEST

START_TEST(test_file_may_be_overridden)
{
	ck_assert_int_eq(load("widget: {slots: 5, label: one}\n"), 0);
	ck_assert_int_eq(param_assign(set, "-s", "widget.slots=6", &error), 0);
	ck_assert_int_eq(param_assign(set, "-s", "widget.label=k=v", &error), 0);
	ck_assert_uint_eq(widget.slots, 6);
	ck_assert_str_eq(widget.label, "k=v");
	ck_assert_int_eq(load("widget: {slots: 7}\n"), 0);
	ck_assert_uint_eq(widget.slots, 7);
}
END_TEST

static const char *const keys[] = {
	"widget.bytes",	 "widget.slots", "widget.sets",	 "widget.enabled",
	"widget.policy", "widget.ratio", "widget.label", "kernel.fault.extra_ns",
};
#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

START_TEST(test_formatted_value_reads_back)
{
	static const char *const values[] = {"18446744073709551615", "7",   "32",  "false",
					     "round_robin",	     "0.1", "x y", "1000000"};
	char text[64], assignment[128];

	for (size_t i = 0; i < KEY_COUNT; i++) {
		snprintf(assignment, sizeof(assignment), "%s=%s", keys[i], values[i]);
		ck_assert_msg(!param_assign(set, "-s", assignment, &error), "%s", error.text);
		ck_assert_ptr_eq(param_format(set, keys[i], text, sizeof(text)), text);
		ck_assert_str_eq(text, values[i]);
	}
	ck_assert_ptr_null(param_format(set, "widget.none", text, sizeof(text)));
}
END_TEST

static void collect(void *arg, const char *full_key, const struct param_desc *desc,
		    const char *value, const char *default_value, const char *allowed)
{
	char *text = arg;

	ck_assert_ptr_nonnull(desc->help);
	sprintf(text + strlen(text), "%s=%s/%s/%s\n", full_key, value, default_value, allowed);
}

START_TEST(test_visit_shows_all_in_table_order)
{
	char text[1024] = "";

	param_assign(set, "-s", "widget.slots=3", &error);
	param_visit(set, collect, text);
	ck_assert_str_eq(text, "widget.bytes=4096/4096/1..18446744073709551615\n"
			       "widget.slots=3/16/1..1000\n"
			       "widget.sets=64/64/powers of two, 1..1024\n"
			       "widget.enabled=true/true/true, false, yes, no, on, off\n"
			       "widget.policy=fifo/fifo/fifo, round_robin\n"
			       "widget.ratio=0.5/0.5/0..1\n"
			       "widget.label=none/none/text\n"
			       "kernel.fault.extra_ns=0/0/0..1000000\n");
}
END_TEST

/* ---- what is refused ---------------------------------------------------------------------- */

#define LISTED " (allowed: what 'svasim list params' shows)"
#define SLOTS  " (allowed: 1..1000)"

static const struct {
	const char *yaml, *error;
} bad_files[] = {
	{"widget:\n  slots: 0\n", "m.yaml:2: widget.slots: 0: out of range" SLOTS},
	{"widget:\n  slots: 1001\n", "m.yaml:2: widget.slots: 1001: out of range" SLOTS},
	{"widget: {slots: 5000000000}\n", "m.yaml:1: widget.slots: 5000000000: out of range" SLOTS},
	{"widget: {slots: 99999999999999999999}\n",
	 "m.yaml:1: widget.slots: 99999999999999999999: out of range" SLOTS},
	{"widget: {bytes: 99999999TiB}\n", "m.yaml:1: widget.bytes: 99999999TiB: out of range "
					   "(allowed: 1..18446744073709551615)"},
	{"widget:\n\n  slots: -1\n", "m.yaml:3: widget.slots: -1: not a whole number" SLOTS},
	{"widget: {slots: many}\n", "m.yaml:1: widget.slots: many: not a whole number" SLOTS},
	{"widget: {slots: 1.5}\n", "m.yaml:1: widget.slots: 1.5: not a whole number" SLOTS},
	{"widget: {slots: 4 kB}\n", "m.yaml:1: widget.slots: 4 kB: not a whole number" SLOTS},
	{"widget: {slots: 0x}\n", "m.yaml:1: widget.slots: 0x: not a whole number" SLOTS},
	{"widget:\n  slots:\n", "m.yaml:2: widget.slots: : no value" SLOTS},
	{"widget: {sets: 48}\n",
	 "m.yaml:1: widget.sets: 48: not a power of two (allowed: powers of two, 1..1024)"},
	{"widget: {sets: 0}\n",
	 "m.yaml:1: widget.sets: 0: out of range (allowed: powers of two, 1..1024)"},
	{"widget: {enabled: 1}\n", "m.yaml:1: widget.enabled: 1: not a truth value "
				   "(allowed: true, false, yes, no, on, off)"},
	{"widget: {policy: lifo}\n",
	 "m.yaml:1: widget.policy: lifo: not one of the choices (allowed: fifo, round_robin)"},
	{"widget: {ratio: 1.01}\n", "m.yaml:1: widget.ratio: 1.01: out of range (allowed: 0..1)"},
	{"widget: {ratio: .nan}\n", "m.yaml:1: widget.ratio: .nan: not a number (allowed: 0..1)"},
	{"widget: {ratio: half}\n", "m.yaml:1: widget.ratio: half: not a number (allowed: 0..1)"},
	{"widget: {slot: 3}\n",
	 "m.yaml:1: widget.slot: 3: unknown key, did you mean widget.slots?" LISTED},
	{"slots: 3\n", "m.yaml:1: slots: 3: unknown key, did you mean widget.slots?" LISTED},
	{"wigdet:\n  policy: fifo\n",
	 "m.yaml:2: wigdet.policy: fifo: unknown key, did you mean widget.policy?" LISTED},
	{"colour: blue\n", "m.yaml:1: colour: blue: unknown key" LISTED},
	{"widget: 3\n", "m.yaml:1: widget: 3: a group, not a parameter "
			"(allowed: a mapping of its parameters)"},
	{"widget:\n  slots:\n    most: 3\n",
	 "m.yaml:2: widget.slots: {...}: a mapping, not a value" SLOTS},
	{"widget:\n  slots: [1, 2]\n", "m.yaml:2: widget.slots: [...]: a list, not a value" SLOTS},
	{"widget:\n  - slots\n",
	 "m.yaml:1: widget: [...]: a list, not a value (allowed: nested mappings of values)"},
	{"- widget\n",
	 "m.yaml:1: [...]: not a parameter file (allowed: nested mappings of values)"},
	{"just text\n",
	 "m.yaml:1: just text: not a parameter file (allowed: nested mappings of values)"},
	{"widget: {slots: 1}\n---\nwidget: {slots: 2}\n",
	 "m.yaml:3: a second document: not a parameter file (allowed: one document)"},
	{"widget:\n  slots: 1\n  sets: 2\n  slots: 1\n",
	 "m.yaml:4: widget.slots: 1: duplicate key, first on line 2"},
	{"widget:\n  slots: 1\nkernel:\nwidget:\n  sets: 2\n",
	 "m.yaml:4: widget: {...}: duplicate key, first on line 1"},
	{"widget:\n  slots: 1\nwidget.slots: 1\n",
	 "m.yaml:3: widget.slots: 1: duplicate key, first on line 2"},
	{"widget:\n  slots: 1\n bad\n", "m.yaml:3: not valid YAML: while parsing a block mapping, "
					"did not find expected key"},
	{"widget: {slots: 1\n", "m.yaml:2: not valid YAML: while parsing a flow mapping, "
				"did not find expected ',' or '}'"},
	{"{a: 1}: 2\n", "m.yaml:1: {...}: cannot be a key (allowed: a name)"},
	{"widget: {label: \"a\\0b\"}\n", "m.yaml:1: widget.label: a: holds a null character"},
	{"a: &a {b: *a}\n",
	 "m.yaml:1: a.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b: {...}: nested too deeply"},
	{"include: none.yaml\n", "m.yaml:1: include: none.yaml: No such file or directory "
				 "(allowed: a readable file)"},
	{"\ninclude: m.yaml\n",
	 "m.yaml:2: include: m.yaml: includes itself (allowed: a readable file)"},
	{"include: [a, b]\n", "m.yaml:1: include: [...]: not a file name "
			      "(allowed: a path relative to this file)"},
	{"description: {a: b}\n", "m.yaml:1: description: {...}: not a text (allowed: text)"},
	{"include: .\n", "m.yaml:1: include: .: Is a directory (allowed: a readable file)"},
};

START_TEST(test_bad_file)
{
	ck_assert_int_eq(load(bad_files[_i].yaml), -1);
	ck_assert_str_eq(error.text, bad_files[_i].error);
}
END_TEST

START_TEST(test_error_in_an_included_file_names_that_file)
{
	write_file("base.yaml", "\n\nwidget: {slots: x}\n");
	ck_assert_int_eq(load("include: base.yaml\n"), -1);
	ck_assert_str_eq(error.text, "base.yaml:3: widget.slots: x: not a whole number" SLOTS);
}
END_TEST

START_TEST(test_missing_file)
{
	ck_assert_int_eq(param_load_yaml(set, "none.yaml", &error), -1);
	ck_assert_str_eq(error.text, "none.yaml: cannot be read: No such file or directory");
}
END_TEST

static const struct {
	const char *assignment, *error;
} bad_assignments[] = {
	{"widget.slots", "-s: widget.slots: not an assignment (allowed: key=value)"},
	{"=3", "-s: =3: not an assignment (allowed: key=value)"},
	{"widget.slots=", "-s: widget.slots: : no value" SLOTS},
	{"widget.slots=4000", "-s: widget.slots: 4000: out of range" SLOTS},
	{"widget.slotz=4", "-s: widget.slotz: 4: unknown key, did you mean widget.slots?" LISTED},
	{"widget=4", "-s: widget: 4: unknown key" LISTED},
	{"include=a", "-s: include: a: unknown key" LISTED},
};

START_TEST(test_bad_assignment)
{
	ck_assert_int_eq(param_assign(set, "-s", bad_assignments[_i].assignment, &error), -1);
	ck_assert_str_eq(error.text, bad_assignments[_i].error);
	ck_assert_uint_eq(widget.slots, 16);
}
END_TEST

START_TEST(test_long_value_is_cut)
{
	char assignment[2000];

	memset(assignment, 'x', sizeof(assignment));
	memcpy(assignment, "widget.slots=", 13);
	assignment[sizeof(assignment) - 1] = '\0';
	ck_assert_int_eq(param_assign(set, "-s", assignment, &error), -1);
	ck_assert_uint_lt(strlen(error.text), sizeof(error.text));
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
	Suite *suite = suite_create("param");
	TCase *good = tcase_create("good"), *bad = tcase_create("bad");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(good, set_up, tear_down);
	tcase_add_test(good, test_defaults_are_applied);
	tcase_add_test(good, test_file_sets_values);
	tcase_add_loop_test(good, test_harmless_file, 0, COUNT(harmless));
	tcase_add_test(good, test_included_file_is_applied_first);
	tcase_add_loop_test(good, test_assignment_of_a_size, 0, COUNT(sizes));
	tcase_add_test(good, test_file_may_be_overridden);
	tcase_add_test(good, test_formatted_value_reads_back);
	tcase_add_test(good, test_visit_shows_all_in_table_order);
	tcase_add_checked_fixture(bad, set_up, tear_down);
	tcase_add_loop_test(bad, test_bad_file, 0, COUNT(bad_files));
	tcase_add_test(bad, test_error_in_an_included_file_names_that_file);
	tcase_add_test(bad, test_missing_file);
	tcase_add_loop_test(bad, test_bad_assignment, 0, COUNT(bad_assignments));
	tcase_add_test(bad, test_long_value_is_cut);
	suite_add_tcase(suite, good);
	suite_add_tcase(suite, bad);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
