# Debug info as Debian itself ships it; sourced by tests/real/recipe.sh.
# shellcheck shell=bash disable=SC2154,SC2164

# libc/: the C library and its debug files, by build-id, with a .gnu_debuglink each.
stage_fetch_libc() {
  fetch_packages libc own libc6 libc6-dbg
  rm -rf libc/usr/share
}

# xen-dbg/: the hypervisor that runs inside a guest, with debug info, and the debug files of Xen's programs.
stage_fetch_xen_dbg() {
  local package
  package=$(package_like 'xen-utils-[0-9.]+-dbg' own)
  fetch_packages xen-dbg own "$package" "${package%-dbg}"
  rm -rf xen-dbg/usr/share
}

# A kernel with debug info, for benchmarks: downloaded and unpacked, never installed. The metapackage names the
# versioned package; as with sources, an older one does when the newest cannot be had.
stage_vmlinux() {
  local package version
  rm -rf vmlinux.tmp
  mkdir vmlinux.tmp
  versions_of linux-image-cloud-amd64-dbg Packages own | while read -r version; do
    private_apt apt-cache show "linux-image-cloud-amd64-dbg=$version"
  done | sed -n 's/^Depends: \([^ ]*\) (= \(.*\)).*/\1 \2/p' |
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
