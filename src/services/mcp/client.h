// The client of one MCP server (Model Context Protocol, versions 2024-11-05 to 2025-06-18): it opens the
// server when it is first needed, lists its tools and calls them. It offers the server nothing: no roots, no
// sampling, no questions to the person; a request for any of them is answered with "method not found", a ping
// with its answer. One request at a time. A server that has gone, or has forgotten the session, is opened
// again once. Easy to get wrong: a server may change its tools while it runs, so a call is refused when the
// tool is no longer the one that was listed, and with it the one that a person trusted.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "services/mcp/transport.h"

namespace ink::mcp {

struct ToolInfo {
  std::string name;
  std::string description;
  Json parameters;         // its inputSchema: the schema of an object
  bool read_only = false;  // by its own word: annotations.readOnlyHint

  bool operator==(const ToolInfo&) const = default;
};

struct ToolList {
  std::vector<ToolInfo> tools;
  std::optional<Problem> problem;  // then the list is empty
};

// What a tool answered.
struct Answer {
  std::string text;                // its text content, or else its structured content as JSON
  bool is_error = false;           // the tool says that it failed
  int parts_left_out = 0;          // images, sounds, links
  std::optional<Problem> problem;  // then nothing of the above counts
};

class Client {
 public:
  // Starts the child or prepares the HTTP requests; asks nothing yet.
  using Opener = std::function<Result<std::unique_ptr<Transport>>()>;
  explicit Client(Opener open) : open_(std::move(open)) {}

  ToolList list_tools(const Patience& patience);
  Answer call(const ToolInfo& tool, const Json& arguments, const Patience& patience);

  // "name version" of the server, once it has answered; foreign text.
  const std::string& server() const { return server_; }

 private:
  struct Reply {
    Json result;
    std::optional<Problem> problem;
  };
  std::optional<Problem> open(const Patience& patience);
  std::optional<Problem> initialize(const Patience& patience);
  Reply ask(const std::string& method, const Json& params, const Patience& patience);
  bool hear(const Message& message, int64_t awaited, Reply& reply, const Patience& patience);
  ToolList list(const Patience& patience);
  ToolList list_pages(const Patience& patience);

  Opener open_;
  std::timed_mutex mutex_;  // guards what follows
  std::unique_ptr<Transport> transport_;
  int64_t last_id_ = 0;
  bool tools_changed_ = false;
  std::string server_;
};

// The parts of answers that are read without a connection.
std::optional<ToolInfo> parse_tool(const Json& tool);
Answer parse_answer(const Json& result);

}  // namespace ink::mcp
