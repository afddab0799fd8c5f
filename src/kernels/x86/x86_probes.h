// Loops that show the int8 arithmetic of x86-64 instruction sets at its best, see kernels/probe.h. Where
// there is no x86-64, no_x86/ stands in for this folder.
#pragma once

#include "kernels/int8_loop.h"

namespace ink {

// For a table of x86_tables.h by its name; empty for another one.
Int8Loop x86_int8_loop(const char* table);

// What the files of an instruction set export, and all that they export.
void install_avx2_probe(Int8Loop& loop);
void install_avx2_vnni_probe(Int8Loop& loop);
void install_avx512_vnni_probe(Int8Loop& loop);
void install_amx_probe(Int8Loop& loop);

}  // namespace ink
