// The tools of an MCP server as tools of the assistant. They are called SERVER_tool, so that a server can
// never stand in the place of a tool of ours. Each asks the person first, unless it says of itself that it
// only reads and the person has marked the server as trusted: a word of the server alone counts for nothing.
// What a tool answers is foreign text: it becomes data for the model, named as that server's, cut to a size,
// and never a sentence of ours.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "services/assistant/tool.h"
#include "services/mcp/client.h"

namespace ink::mcp {

// "files_read_file"; characters that no name may have become _. Empty when nothing would be left of one of
// the two, or when it is longer than a name may be (64).
std::string tool_name(const std::string& server, const std::string& tool);

struct NamedTools {
  std::vector<std::shared_ptr<assistant::Tool>> tools;
  std::vector<std::string> left_out;  // "read file: its name …", one line each, printable
};

NamedTools named_tools(const std::shared_ptr<Client>& client, const std::string& server, bool trusted,
                       const std::vector<ToolInfo>& tools);

// {"server", "text"}, with "cut": true when the text was longer.
Json foreign_text(const std::string& server, const std::string& text);

}  // namespace ink::mcp
