# The same debug info where distributions put it; sourced by tests/real/recipe.sh.
# shellcheck shell=bash disable=SC2154,SC2164

# As dh_strip does: stripped files, and debug files named by build-id. .gnu_debuglink is there too.
stage_split() {
  rm -rf split
  mkdir split
  cp -a debug/. split/
  split_off split split/lib/debug
  tell_files split
}

# Found by .gnu_debuglink alone: beside the file, without a build-id.
stage_debuglink() {
  local file
  rm -rf debuglink
  mkdir -p debuglink/.debug
  for file in debug/libxenlight.so.* debug/libvirt.so.* debug/libvirtd; do
    [ ! -L "$file" ] || continue
    objcopy --remove-section=.note.gnu.build-id "$file" "debuglink/${file##*/}"
    separate "debuglink/${file##*/}" "debuglink/.debug/${file##*/}.debug"
  done
  tell_files debuglink
}

# As dh_dwz and dh_strip do: what the files have in common is in a supplement.
stage_dwz() {
  local file files=()
  rm -rf dwz
  mkdir -p dwz/lib/debug/.dwz
  cp -a debug/. dwz/
  for file in dwz/*; do
    [ -L "$file" ] || [ -d "$file" ] || files+=("$file")
  done
  dwz -m dwz/lib/debug/.dwz/testbed.debug -M /usr/lib/debug/.dwz/testbed.debug "${files[@]}"
  objcopy --compress-debug-sections dwz/lib/debug/.dwz/testbed.debug
  split_off dwz dwz/lib/debug
  tell_files dwz
}

# Every file of a folder to a stripped file, and a debug file in the build-id folders below another.
split_off() {
  local file id debug
  for file in "$1"/*; do
    if [ -L "$file" ] || [ -d "$file" ]; then continue; fi
    id=$(build_id "$file")
    debug=$2/.build-id/${id:0:2}/${id:2}.debug
    mkdir -p "${debug%/*}"
    separate "$file" "$debug"
  done
}

separate() {
  objcopy --only-keep-debug --compress-debug-sections "$1" "$2"
  chmod 644 "$2"
  strip --strip-unneeded --remove-section=.comment "$1"
  objcopy --add-gnu-debuglink="$2" "$1"
}
