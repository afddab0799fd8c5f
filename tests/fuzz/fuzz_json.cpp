// JSON from any bytes: parsing fails with a place or gives a value whose Python text parses to the same
// value.
#include <cstdint>
#include <cstdlib>

#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = ink::parse_json(text, "fuzz.json");
  if (!value.ok()) {
    if (value.error().message().size() < 10) std::abort();
    return 0;
  }
  const std::string written = ink::python_json(*value);
  const auto again = ink::parse_json(written, "written.json");
  if (!again.ok() || *again != *value || ink::python_json(*again) != written) std::abort();
  return 0;
}
