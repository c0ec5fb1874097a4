# How the test bed's files are fetched and built; sourced by tests/real/prepare, which runs each stage_* function
# in a shell of its own, in the cache folder ($cache), with `set -e`, a clean environment and its output in a log.
# A stage may be killed at any moment and must be able to start over. What it prints to fd 3 goes into the manifest.
# Whoever changes what comes out of a stage raises `recipe` in tests/real/prepare.
# SC2034, SC2154, SC2164: what it defines, gets, and `set -e` are prepare's.
# shellcheck shell=bash disable=SC2034,SC2154,SC2164

# Named one by one: `apt-get build-dep` would bring several hundred packages for parts that are not built here.
build_packages=(
  acpica-tools autoconf automake autotools-dev binutils bison dpkg-dev flex gcc gettext libbz2-dev libc6-dev
  libglib2.0-dev libgnutls28-dev liblzma-dev libncurses-dev libnl-3-dev libnl-route-3-dev libpixman-1-dev
  libreadline-dev libtirpc-dev libxml2-dev libxml2-utils libyajl-dev libzstd-dev make meson ninja-build patch
  perl pkg-config python3 python3-dev uuid-dev xsltproc xz-utils zlib1g-dev
)

# --- apt with lists of its own -----------------------------------------------------------------------------------

# Source packages are rarely enabled. Rather than alter the machine's configuration, apt gets a private copy of it:
# the Debian suites the machine already uses, each also as deb-src.
private_apt_init() {
  mkdir -p apt/lists/partial apt/cache/archives/partial
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg options=''
  [ ! -e "$keyring" ] || options="[signed-by=$keyring] "
  # shellcheck disable=SC2016 # apt expands these, not the shell
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' |
    sort -u | while read -r target; do
      printf 'deb %s%s\ndeb-src %s%s\n' "$options" "$target" "$options" "$target"
    done >apt/sources.list
  [ -s apt/sources.list ]
}

private_apt() {
  local command=$1
  shift
  "$command" -o "Dir::Etc::sourcelist=$cache/apt/sources.list" -o Dir::Etc::sourceparts=- \
    -o "Dir::State::lists=$cache/apt/lists" -o "Dir::Cache=$cache/apt/cache" \
    -o APT::Sandbox::User=root -o APT::Update::Error-Mode=any -o Acquire::Retries=2 "$@"
}

# Only when this fails is there "no network": it comes before anything that needs one.
refresh_lists() {
  private_apt_init && private_apt apt-get update
}

# Downloads a source package into archives/. Mirrors can list a version whose archive is gone (or not there yet),
# so the next older one is tried. Tells the manifest which one it was, and the newest that was listed.
fetch_source() {
  local package=$1 version newest=''
  mkdir -p archives
  for version in $(private_apt apt-cache showsrc "$package" | sed -n 's/^Version: //p' | sort -ruV); do
    [ -n "$newest" ] || newest=$version
    if (cd archives && private_apt apt-get source --download-only "$package=$version"); then
      # A file name has no epoch.
      printf 'archives/%s_%s.dsc\n' "$package" "${version#*:}" >"stamps/$package.dsc"
      printf '%s_source=%s\n%s_newest_listed=%s\n' "$package" "$version" "$package" "$newest" >&3
      return
    fi
  done
  echo "no version of the source package $package can be downloaded" >&2
  return 1
}

unpack_source() {
  local package=$1
  rm -rf "sources/$package"
  mkdir -p sources
  # No check of the signature: apt has verified the checksums, and a fresh machine lacks the maintainers' keys.
  dpkg-source --no-check -x "$(cat "stamps/$package.dsc")" "sources/$package"
}

# --- stages ------------------------------------------------------------------------------------------------------

stage_fetch_xen() { fetch_source xen; }
stage_fetch_libvirt() { fetch_source libvirt; }

# libxenlight and the Xen libraries it needs, nothing else of Xen. DWARF names sources/xen, so it is built there.
stage_build_xen() {
  unpack_source xen
  cd sources/xen
  # A build that wants to download something is to fail here rather than hang.
  export WGET=/bin/false GIT=/bin/false
  ./autogen.sh
  # Debian removes these from the source package; its own build gets them from debhelper.
  cp /usr/share/misc/config.guess /usr/share/misc/config.sub .
  cp install.sh install-sh
  ./configure --prefix=/usr --libdir="/usr/lib/$(gcc -print-multiarch)" \
    --disable-ocamltools --disable-docs --disable-stubdom --disable-xen --disable-golang --disable-seabios \
    --disable-ovmf --disable-pvshim --disable-qemu-traditional --disable-rombios \
    --with-system-qemu=/usr/libexec/xen-qemu-system-i386
  make -C tools/include
  make -C tools/libs debug=y -j"$(nproc)"
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

# Puts the results side by side, so that one LD_LIBRARY_PATH resolves every DT_NEEDED among them, then the same files
# again without debug info, as distributions ship them.
stage_collect() {
  local file
  rm -rf debug.new stripped.new
  mkdir debug.new
  for file in sources/xen/tools/libs/*/lib*.so* sources/libvirt/build/src/libvirt*.so* \
    sources/libvirt/build/src/libvirtd sources/libvirt/build/tools/virsh; do
    case $file in
      *_test.so | *.p | *.symbols) continue ;;
    esac
    # -e skips the dangling links of libraries that ninja was not asked for.
    if [ -e "$file" ] && [ ! -d "$file" ]; then cp -P "$file" debug.new/; fi
  done
  cp -a debug.new stripped.new
  find stripped.new -type f -exec strip --strip-unneeded {} +
  rm -rf debug stripped
  mv debug.new debug
  mv stripped.new stripped
  for file in debug/*; do
    [ -L "$file" ] || printf 'build_id.%s=%s\n' "${file#debug/}" "$(build_id "$file")" >&3
  done
}

build_id() {
  LC_ALL=C readelf -n "$1" | sed -n 's/^ *Build ID: //p'
}

# What a test relies on, checked once where it can still be repaired.
stage_check() {
  local folder file
  for folder in debug stripped; do
    for file in "$folder"/*; do
      [ ! -L "$file" ] || continue
      # A dependency may be the machine's, but none may be missing, and Xen's and libvirt's are to be this folder's.
      if env LD_LIBRARY_PATH="$cache/$folder" ldd "$file" |
        grep -E 'not found|lib(xen|xl|virt).* => ' | grep -v " => $cache/$folder/"; then
        echo "$file: not resolved inside $folder/" >&2
        return 1
      fi
    done
    # A home of its own, since virsh leaves files there.
    mkdir -p home
    env LD_LIBRARY_PATH="$cache/$folder" HOME="$cache/home" "$folder/virsh" -c test:///default list --all |
      grep -w running
    env LD_LIBRARY_PATH="$cache/$folder" "$folder/libvirtd" --version
  done
  for file in libxenlight.so libvirt.so libvirt_driver_libxl.so libvirtd virsh; do
    has_dwarf "debug/$file" || { echo "debug/$file has no DWARF" >&2; return 1; }
    ! has_dwarf "stripped/$file" || { echo "stripped/$file still has DWARF" >&2; return 1; }
  done
  printf 'compiler=%s\n' "$(gcc --version | head -n 1)" >&3
}

has_dwarf() {
  [[ $(readelf -SW "$1") == *" .debug_info "* ]]
}

# The sources stay for debuggers to list (generated ones too); objects, the libraries' second copies, and what no
# debug info names do not.
stage_prune() {
  find sources -type f \( -name '*.o' -o -name '*.opic' -o -name '*.a' -o -name '*.d' \) -delete
  find sources \( -type f -o -type l \) \( -name 'lib*.so' -o -name 'lib*.so.*' \) -delete
  rm -rf sources/libvirt/po sources/libvirt/tests sources/libvirt/docs sources/xen/docs \
    sources/libvirt/build/src/libvirtd sources/libvirt/build/tools/virsh home
}

# A kernel with debug info, for benchmarks: downloaded and unpacked, never installed. The metapackage names the
# versioned package; as with sources, an older one does when the newest cannot be had.
stage_vmlinux() {
  local package version
  rm -rf vmlinux.tmp
  mkdir vmlinux.tmp
  private_apt apt-cache show linux-image-cloud-amd64-dbg | sed -n 's/^Depends: \([^ ]*\) (= \(.*\)).*/\1 \2/p' |
    while read -r package version; do
      if (cd vmlinux.tmp && private_apt apt-get download "$package=$version" </dev/null); then
        printf '%s %s\n' "$package" "$version" >vmlinux.tmp/package
        break
      fi
    done
  [ -s vmlinux.tmp/package ] || { echo "no linux-image-*-cloud-amd64-dbg can be downloaded" >&2; return 1; }
  dpkg-deb --fsys-tarfile vmlinux.tmp/*.deb |
    tar -xO --wildcards './usr/lib/debug/boot/vmlinux-*' >vmlinux.tmp/vmlinux
  printf 'vmlinux_package=%s\nbuild_id.vmlinux=%s\n' "$(cat vmlinux.tmp/package)" \
    "$(build_id vmlinux.tmp/vmlinux)" >&3
  mv vmlinux.tmp/vmlinux vmlinux
  rm -rf vmlinux.tmp
}
