// All tools that the assistant has, from whatever source: this device, the home, servers that speak MCP. The
// first tool of a name stays; a later source cannot take a name over, so that no server can put itself in the
// place of "send_message".
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "services/assistant/tool.h"

namespace ink::assistant {

class Registry {
 public:
  // source: "device", "home", "mcp:NAME"; for messages. Errors: kInvalid for a declaration that is not one
  // (see check_declaration) or a name that is taken.
  Status add(std::shared_ptr<Tool> tool, const std::string& source);

  std::shared_ptr<Tool> find(std::string_view name) const;  // null: none
  std::vector<Json> declarations() const;                   // in the order of their coming
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::shared_ptr<Tool> tool;
    std::string source;
  };
  std::vector<Entry> entries_;
};

// A function declaration: a name of letters, digits, _ and - (at most 64), parameters that are an object
// schema. Errors: kInvalid with `where` in front.
Status check_declaration(const Json& declaration, const std::string& where);

}  // namespace ink::assistant
