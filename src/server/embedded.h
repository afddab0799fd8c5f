// Files that are parts of the program: the page (everything in web/dist, listed when CMake configures) and
// the description of the API.
#pragma once

#include <string_view>
#include <vector>

namespace ink::server::embedded {

struct File {
  std::string_view path;  // "index.html", "assets/index-1a2b3c.js"
  std::string_view content;
};
std::vector<File> page();  // empty when the program was built without the page
std::string_view openapi();

}  // namespace ink::server::embedded
