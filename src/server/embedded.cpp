// See server/embedded.h.
#include "server/embedded.h"

extern "C" {
extern const char ink_server_openapi_begin[];
extern const char ink_server_openapi_end[];
struct InkServerPageEntry {
  const char *path, *begin, *end;
};
extern const InkServerPageEntry ink_server_page_begin[];
extern const InkServerPageEntry ink_server_page_end[];
}

namespace ink::server::embedded {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

}  // namespace

std::vector<File> page() {
  std::vector<File> files;
  for (const InkServerPageEntry* entry = ink_server_page_begin; entry < ink_server_page_end; ++entry)
    files.push_back({entry->path, between(entry->begin, entry->end)});
  return files;
}

std::string_view openapi() { return between(ink_server_openapi_begin, ink_server_openapi_end); }

}  // namespace ink::server::embedded
