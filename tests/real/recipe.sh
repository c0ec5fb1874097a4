# How the test bed's files are fetched and built; sourced by tests/real/prepare, which runs each stage_* function
# in a shell of its own, in the cache folder ($cache), with `set -e`, a clean environment and its output in a log.
# A stage may be killed at any moment and must be able to start over. What it prints to fd 3 goes into the manifest.
# Whoever changes what comes out of a stage raises `recipe` in tests/real/prepare.
# SC2034, SC2154, SC2164: what it defines, gets, and `set -e` are prepare's.
# shellcheck shell=bash disable=SC2034,SC2154,SC2164

recipe_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/real/apt.sh
. "$recipe_folder/apt.sh"
# shellcheck source=tests/real/shapes.sh
. "$recipe_folder/shapes.sh"
# shellcheck source=tests/real/wrong.sh
. "$recipe_folder/wrong.sh"
# shellcheck source=tests/real/packages.sh
. "$recipe_folder/packages.sh"
# shellcheck source=tests/real/programs.sh
. "$recipe_folder/programs.sh"

# Named one by one: `apt-get build-dep` would bring several hundred packages for parts that are not built here.
build_packages=(
  acpica-tools autoconf automake autotools-dev binutils bison dpkg-dev dwz flex g++ gcc gdb gettext libbz2-dev
  libc6-dev libglib2.0-dev libgnutls28-dev liblzma-dev libncurses-dev libnl-3-dev libnl-route-3-dev libpixman-1-dev
  libreadline-dev libtirpc-dev libxml2-dev libxml2-utils libyajl-dev libzstd-dev llvm make meson ninja-build patch
  perl pkg-config python3 python3-dev uuid-dev xsltproc xz-utils zlib1g-dev
)

# --- what every stage uses ---------------------------------------------------------------------------------------

build_id() {
  LC_ALL=C readelf -n "$1" | sed -n 's/^ *Build ID: //p'
}

has_dwarf() {
  [[ $(readelf -SW "$1") == *" .debug_info "* ]]
}

# Tells the manifest of the files in a folder: prepare looks whether they are still there.
tell_files() {
  local file
  for file in "$1"/*; do
    [ -L "$file" ] || [ -d "$file" ] || printf 'file.%s=%s\n' "$file" "$(build_id "$file")" >&3
  done
}

# --- stages ------------------------------------------------------------------------------------------------------

stage_fetch_xen() { fetch_source xen; }
stage_fetch_libvirt() { fetch_source libvirt; }

# libxenlight and the Xen libraries it needs, nothing else of Xen. DWARF names sources/xen, so it is built there.
stage_build_xen() {
  unpack_source xen
  configure_xen sources/xen
  make_xen_libraries sources/xen debug=y
}

configure_xen() {
  (
    cd "$1"
    forbid_downloads
    ./autogen.sh
    # Debian removes these from the source package; its own build gets them from debhelper.
    cp /usr/share/misc/config.guess /usr/share/misc/config.sub .
    cp install.sh install-sh
    ./configure --prefix=/usr --libdir="/usr/lib/$(gcc -print-multiarch)" \
      --disable-ocamltools --disable-docs --disable-stubdom --disable-xen --disable-golang --disable-seabios \
      --disable-ovmf --disable-pvshim --disable-qemu-traditional --disable-rombios \
      --with-system-qemu=/usr/libexec/xen-qemu-system-i386
    make -C tools/include
  )
}

make_xen_libraries() {
  local source=$1
  shift
  (forbid_downloads && make -C "$source/tools/libs" -j"$(nproc)" "$@")
}

# A build that wants to download something is to fail here rather than hang.
forbid_downloads() {
  export WGET=/bin/false GIT=/bin/false
}

# libvirtd, libvirt.so, the libxl driver and virsh, against the Xen libraries just built. Features are off unless
# named, so that what happens to be installed on a machine does not change the result.
stage_build_libvirt() {
  unpack_source libvirt
  cd sources/libvirt
  PKG_CONFIG_PATH=$cache/sources/xen/tools/pkg-config meson setup build --buildtype=debugoptimized \
    -Dauto_features=disabled -Dsystem=true -Dno_git=true -Ddriver_libvirtd=enabled -Ddriver_libxl=enabled \
    -Ddriver_remote=enabled -Ddriver_test=enabled -Ddriver_qemu=disabled -Dlibnl=enabled -Dreadline=enabled \
    -Ddocs=disabled -Dtests=disabled -Dinit_script=none
  ninja -j"$(nproc)" -C build src/libvirtd src/libvirt_driver_libxl.so tools/virsh
}

# The results side by side, so that one LD_LIBRARY_PATH resolves every DT_NEEDED among them, then the same files
# again without debug info, as distributions ship them.
stage_collect() {
  collect debug stripped sources/xen/tools/libs/*/lib*.so* sources/libvirt/build/src/libvirt*.so* \
    sources/libvirt/build/src/libvirtd sources/libvirt/build/tools/virsh
  local file
  for file in debug/*; do
    [ -L "$file" ] || printf 'build_id.%s=%s\n' "${file#debug/}" "$(build_id "$file")" >&3
  done
}

# The same libraries of Xen, optimised as releases are.
stage_build_optimized() {
  copy_of_xen sources/xen-optimized
  make_xen_libraries sources/xen-optimized debug=n EXTRA_CFLAGS_XEN_TOOLS=-g
  collect optimized optimized-stripped sources/xen-optimized/tools/libs/*/lib*.so*
  tell_files optimized
  tell_files optimized-stripped
}

# The configured sources at another place, with nothing built.
copy_of_xen() {
  rm -rf "$1"
  cp -a sources/xen "$1"
  make -C "$1/tools/libs" clean
}

collect() {
  local whole=$1 stripped=$2 file
  shift 2
  rm -rf "$whole.new" "$stripped.new"
  mkdir "$whole.new"
  for file; do
    case $file in
      *_test.so | *.p | *.symbols) continue ;;
    esac
    # -e skips the dangling links of libraries that ninja was not asked for.
    if [ -e "$file" ] && [ ! -d "$file" ]; then cp -P "$file" "$whole.new/"; fi
  done
  cp -a "$whole.new" "$stripped.new"
  find "$stripped.new" -type f -exec strip --strip-unneeded {} +
  rm -rf "$whole" "$stripped"
  mv "$whole.new" "$whole"
  mv "$stripped.new" "$stripped"
}

# What a test relies on, checked once where it can still be repaired.
stage_check() {
  local folder file
  for folder in debug stripped optimized optimized-stripped; do
    for file in "$folder"/*; do
      [ ! -L "$file" ] || continue
      # A dependency may be the machine's, but none may be missing, and Xen's and libvirt's are to be this folder's.
      if env LD_LIBRARY_PATH="$cache/$folder" ldd "$file" |
        grep -E 'not found|lib(xen|xl|virt).* => ' | grep -v " => $cache/$folder/"; then
        echo "$file: not resolved inside $folder/" >&2
        return 1
      fi
      case $folder in
        *stripped) ! has_dwarf "$file" || { echo "$file still has DWARF" >&2; return 1; } ;;
        *) has_dwarf "$file" || { echo "$file has no DWARF" >&2; return 1; } ;;
      esac
    done
  done
  for folder in debug stripped; do
    # A home of its own, since virsh leaves files there.
    mkdir -p home
    env LD_LIBRARY_PATH="$cache/$folder" HOME="$cache/home" "$folder/virsh" -c test:///default list --all |
      grep -w running
    env LD_LIBRARY_PATH="$cache/$folder" "$folder/libvirtd" --version
  done
  printf 'compiler=%s\n' "$(gcc --version | head -n 1)" >&3
}

# The sources stay for debuggers to list (generated ones too); objects, the libraries' second copies, and what no
# debug info names do not.
stage_prune() {
  find sources -type f \( -name '*.o' -o -name '*.opic' -o -name '*.a' -o -name '*.d' \) -delete
  find sources \( -type f -o -type l \) \( -name 'lib*.so' -o -name 'lib*.so.*' \) -delete
  rm -rf sources/libvirt/po sources/libvirt/tests sources/libvirt/docs sources/xen*/docs \
    sources/libvirt/build/src/libvirtd sources/libvirt/build/tools/virsh home
}
