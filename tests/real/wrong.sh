# Builds that no trace is of, though their files have the same names; sourced by tests/real/recipe.sh. Each is a
# folder in wrong/ with the libraries alone.
# shellcheck shell=bash disable=SC2154,SC2164

# Functions that traces show or pass: near the start of the code, in its middle, near its end.
grown_in_xen=(libxl_osevent_occurred_fd libxl__ev_time_register_rel libxl_ctx_alloc libxl__domain_make)
grown_in_libvirt=(virEventRegisterImpl virEventGLibRunOnce virConnectListAllDomains virNetServerHandleJob)

# Builds in which one function has grown by sixteen bytes, and all code behind it has moved by as much.
stage_grow() {
  local function source
  find sources/xen/tools/libs/light sources/libvirt/src -name '*.ungrown' | while read -r source; do
    mv "$source" "${source%.ungrown}"
    touch "${source%.ungrown}"
  done
  rm -rf wrong/grown-*
  for function in "${grown_in_xen[@]}"; do
    grow "$function" sources/xen/tools/libs/light "$(library_of libxenlight)" \
      make -C sources/xen/tools/libs/light debug=y
  done
  for function in "${grown_in_libvirt[@]}"; do
    grow "$function" sources/libvirt/src "$(library_of libvirt)" ninja -C sources/libvirt/build
  done
}

# The name of the file itself, not of one of the links to it.
library_of() {
  find debug -type f -name "$1.so.*" -printf '%f\n'
}

# Sixteen bytes of no operation at the start of one function, without touching a line number.
grow() {
  local function=$1 folder=$2 library=$3 source
  shift 3
  source=$(grep -rlE --include='*.c' "^([a-z][^;=]* )?$function\(" "$folder")
  [ -f "$source" ]
  cp -p "$source" "$source.ungrown"
  sed -Ei "s/^([a-z][^;=]* )?$function\(/\1__attribute__((patchable_function_entry(16))) $function(/" "$source"
  case $1 in
    make) "$@" "$library" ;;
    ninja) "$@" "src/$library" ;;
  esac
  mkdir -p "wrong/grown-$function"
  find "$folder" sources/libvirt/build/src -maxdepth 1 -type f -name "$library" \
    -exec cp {} "wrong/grown-$function/" \;
  # With its old time the next build would keep this object.
  mv "$source.ungrown" "$source"
  touch "$source"
  [ "$(size_of "$function" "wrong/grown-$function/$library")" -eq \
    "$(($(size_of "$function" "debug/$library") + 16))" ]
  tell_files "wrong/grown-$function"
}

size_of() {
  readelf -sW "$2" | awk -v name="$1" '$4 == "FUNC" && $8 == name { print $3; exit }'
}

# The same sources with the compiler's options of Debian's packages.
stage_build_debian() {
  local flags
  flags="$(dpkg-buildflags --get CFLAGS) $(dpkg-buildflags --get CPPFLAGS)"
  copy_of_xen sources/xen-debian
  make_xen_libraries sources/xen-debian debug=n "EXTRA_CFLAGS_XEN_TOOLS=$flags"
  rm -rf wrong/debian
  mkdir -p wrong/debian
  find sources/xen-debian/tools/libs/light -type f -name 'libxenlight.so.*' -exec cp {} wrong/debian/ \;
  rm -rf sources/xen-debian
  tell_files wrong/debian
}

# What Debian ships in this release and in another one: without DWARF, with .dynsym alone.
stage_fetch_packaged() {
  local suite folder
  for suite in own other; do
    folder=wrong/packaged-$suite
    fetch_packages packaged-libvirt "$suite" libvirt0
    fetch_packages packaged-xen "$suite" "$(package_like 'libxenmisc[0-9.]+' "$suite")"
    rm -rf "$folder"
    mkdir -p "$folder"
    find packaged-* -type f \( -name 'libxenlight.so.*' -o -name 'libvirt.so.*' \) -exec cp {} "$folder/" \;
    rm -rf packaged-libvirt packaged-xen
    tell_files "$folder"
  done
}
