#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Prepares a Linux tree for compiling single files of it, once:
#   prepare-linux.sh DESTINATION [TREE]
# DESTINATION/src is the source (unpacked from Debian's linux-source-6.12, or a link to TREE),
# DESTINATION/build its configured build folder, DESTINATION/cflags the compiler flags that Kbuild would use,
# DESTINATION/version the kernel's version. Nothing in the source is changed.
set -eu

dest=$1
tree=${2:-}
supported=6.12
tarball=/usr/src/linux-source-$supported.tar.xz

die() {
	echo "svasim: $*" >&2
	rm -rf "$dest/src.tmp"
	exit 2
}

stamp=$dest/prepared
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "${tree:-$tarball}" ] && exit 0
rm -rf "$dest/build" "$stamp"
mkdir -p "$dest"

for tool in flex bison bc make gcc; do
	command -v $tool >/dev/null || die "$tool is missing (run: make setup)"
done

if [ -n "$tree" ]; then
	[ -f "$tree/Makefile" ] && [ -f "$tree/drivers/misc/uacce/uacce.c" ] || die "SVASIM_LINUX=$tree: not a Linux source tree with uacce"
	[ -f "$tree/.config" ] && die "SVASIM_LINUX=$tree: the tree was built in place; name a clean one (make mrproper)"
	rm -rf "$dest/src"
	ln -s "$(realpath "$tree")" "$dest/src"
else
	[ -f "$tarball" ] || die "$tarball: not found (run: make setup, or set SVASIM_LINUX to a Linux $supported tree)"
	if [ ! -f "$dest/src/Makefile" ] || [ -L "$dest/src" ]; then
		echo "Unpacking $tarball"
		rm -rf "$dest/src" "$dest/src.tmp"
		mkdir -p "$dest/src.tmp"
		# Every Kconfig and Makefile is needed, the code of most drivers is not.
		tar -xJf "$tarball" -C "$dest/src.tmp" --strip-components=1 --wildcards \
			--exclude='*/drivers/gpu/*.[chS]' --exclude='*/drivers/net/*.[chS]' \
			--exclude='*/drivers/media/*.[chS]' --exclude='*/drivers/scsi/*.[chS]' \
			--exclude='*/drivers/staging/*.[chS]' --exclude='*/sound/*.[chS]' \
			--exclude='*/fs/*.c' --exclude='*/net/*.c' --exclude='*/tools/testing/*' \
			--exclude='*/tools/perf/*' --exclude='*.dts' --exclude='*.dtsi' || die "$tarball: cannot be unpacked"
		mv "$dest/src.tmp" "$dest/src"
	fi
fi

version=$(make -s -C "$dest/src" kernelversion 2>/dev/null) || die "$dest/src: 'make kernelversion' failed"
case $version in
$supported.*) ;;
*) die "${tree:-$tarball}: Linux $version is not supported (allowed: $supported.x)" ;;
esac

echo "Preparing Linux $version"
log=$dest/prepare.log
build=$(realpath "$dest")/build
kmake() {
	make -C "$dest/src" ARCH=um O="$build" "$@" >>"$log" 2>&1 || die "preparing Linux $version failed, see $log"
}
: >"$log"
kmake defconfig
# DEBUG_SPINLOCK keeps locks out of line on a uniprocessor build; the VIRTIO_UML pair gives real HAS_IOMEM, HAS_DMA and PCI;
# TIME_TRAVEL routes cpu_relax() and udelay() to a function.
"$dest/src/scripts/config" --file "$build/.config" -e DEBUG_SPINLOCK -e VIRTIO_UML -e UML_PCI_OVER_VIRTIO -e OF \
	-e UML_TIME_TRAVEL_SUPPORT -e CC_OPTIMIZE_FOR_PERFORMANCE -d CC_OPTIMIZE_FOR_SIZE -d PM -d MODULES -d TRACING
kmake olddefconfig
kmake prepare
kmake lib/ctype.o

# The flags of a file that Kbuild compiled, without what is particular to that file, paths made absolute.
src=$(realpath "$dest/src")
sed -n '1s/^savedcmd[^=]*:= [^ ]* //p' "$build/lib/.ctype.o.cmd" |
	sed -e 's/-Wp,-MMD[^ ]*//' -e 's/-DKBUILD_MODFILE.*//' -e 's/ -I[^ ]*\blib\( \|$\)/ /g' -e 's/ -Ilib\b//g' \
		-e "s# \.\./# $src/#g" -e "s#-I\.\./#-I$src/#g" -e "s#-I\./#-I$build/#g" \
		-e "s#-fmacro-prefix-map=[^ ]*#-fmacro-prefix-map=$src/=#" >"$dest/cflags"
grep -q -- "-I$build/" "$dest/cflags" || die "the compiler flags of Linux $version were not understood, see $dest/cflags"
echo "$version" >"$dest/version"
echo "${tree:-$tarball}" >"$stamp"
