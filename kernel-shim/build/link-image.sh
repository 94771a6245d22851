#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# link-image.sh OUTPUT SHIM-DIRECTORY COMPILER LINK-FLAG OBJECT...
# Joins the kernel side into one object in which only the entry point is global, so that no function of the kernel
# replaces one of libc, and makes a shared object of it.
set -eu
out=$1 shim=$2 cc=$3 flag=$4
shift 4
joined=$out.joined.o
export LC_ALL=C

# The calls at which a fault changes hands are led through kernel/fault_probe.c.
ld -r --wrap=iommu_report_device_fault --wrap=iopf_group_response --wrap=down_read -o "$joined" "$@"

# What may stay undefined: libc's memory functions and the compiler's instrumentation run-time.
host='^(memcpy|memmove|memset|memcmp|__asan_.*|__ubsan_.*|__gcov_.*|__sanitizer_(start|finish)_.*|_GLOBAL_OFFSET_TABLE_)$'
# Symbols that the linker script defines.
script='^(__initcall_(start|end)|__setup_(start|end)|__(start|stop)___(param|modver)|__svasim_selftest_(start|end)|__(start|end)_rodata)$'
nm -u "$joined" | awk '{print $2}' | grep -Ev "$host" | grep -Ev "$script" | sort >"$out.undefined" || true
grep -v '^#' "$shim/unreached.txt" | awk 'NF {print $1}' | sort >"$out.unreached"

missing=$(comm -23 "$out.undefined" "$out.unreached" | tr '\n' ' ')
if [ -n "$missing" ]; then
	echo "svasim: the kernel image lacks: $missing" >&2
	rm -f "$joined"
	exit 1
fi

# A trap per unreached symbol.
{
	echo 'void shim_unreached(const char *name) __attribute__((noreturn));'
	comm -12 "$out.undefined" "$out.unreached" | while read -r name; do
		echo "void trap_$name(void) __asm__(\"$name\"); void trap_$name(void) { shim_unreached(\"$name\"); }"
	done
} >"$out.traps.c"
# shellcheck disable=SC2086
$cc -mcmodel=large -fno-PIE -O1 -c -o "$out.traps.o" "$out.traps.c"
ld -r -o "$joined.2" "$joined" "$out.traps.o"
objcopy --keep-global-symbol=svasim_kernel "$joined.2"
# shellcheck disable=SC2086
$cc -shared -nostartfiles $flag -Wl,-z,notext -Wl,-z,noexecstack -Wl,--no-warnings -Wl,-T,"$shim/build/image.ld" -o "$out" "$joined.2" 2>"$out.log" ||
	{ cat "$out.log" >&2; exit 1; }
rm -f "$joined" "$joined.2" "$out.traps.c" "$out.traps.o"
