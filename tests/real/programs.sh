# Small programs of our own, and backtraces of stripped ones; sourced by tests/real/recipe.sh.
# shellcheck shell=bash disable=SC2154,SC2164

# programs/ with debug info, programs-stripped/ without: Rust, C++, and a toolstack that uses libxenlight without Xen.
stage_programs() {
  local sources=$recipe_folder/programs
  rm -rf programs.new
  mkdir programs.new
  # DWARF names the folder of the sources; a copy of them stays, whatever becomes of the checkout.
  rm -rf sources/programs
  cp -r "$sources" sources/programs
  (
    cd sources/programs
    rustc --edition 2021 -C opt-level=2 -C debuginfo=2 -o "$cache/programs.new/inventory" inventory.rs
    g++ -std=c++17 -O2 -g -Wall -Wextra -o "$cache/programs.new/shapes" shapes.cc
    gcc -O1 -g -Wall -Wextra -Wno-missing-field-initializers -Wno-sign-compare -rdynamic -pthread \
      -I"$cache/sources/xen/tools/include" -L"$cache/debug" -Wl,-rpath-link,"$cache/debug" \
      -o "$cache/programs.new/toolstack" toolstack.c hypervisor.c store.c files.c \
      -lxenlight -lxlutil -lxenctrl -lxentoollog
  )
  rm -rf programs programs-stripped
  cp -a programs.new programs-stripped
  strip --strip-unneeded programs-stripped/*
  mv programs.new programs
  programs/inventory
  programs/shapes
  tell_files programs
  tell_files programs-stripped
}

# Only these are stages that need no compiler but gdb and llvm-symbolizer.
stage_traces() {
  rm -rf traces traces.new
  python3 "$recipe_folder/live_traces.py" "$cache" traces.new
  mv traces.new traces
}
