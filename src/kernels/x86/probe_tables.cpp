// Which loop belongs to which table. A table is only there when the processor can run it, and so its loop.
#include <cstring>

#include "kernels/x86/x86_probes.h"

namespace ink {

Int8Loop x86_int8_loop(const char* table) {
  Int8Loop loop;
  if (std::strcmp(table, "avx2") == 0) install_avx2_probe(loop);
  if (std::strcmp(table, "avx2vnni") == 0) install_avx2_vnni_probe(loop);
  if (std::strcmp(table, "avx512vnni") == 0) install_avx512_vnni_probe(loop);
  if (std::strcmp(table, "amx") == 0) install_amx_probe(loop);
  return loop;
}

}  // namespace ink
