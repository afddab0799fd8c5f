// See services/mcp/tools.h.
#include "services/mcp/tools.h"

#include <algorithm>
#include <set>

#include "base/utf8.h"

namespace ink::mcp {
namespace {

namespace problem = assistant::problem;
using assistant::CallContext;
using assistant::Outcome;
using assistant::Risk;

constexpr size_t kMostNameBytes = 64;
constexpr size_t kMostDescriptionBytes = 1024;
constexpr size_t kMostSchemaBytes = 16384;
constexpr size_t kMostTextBytes =
    4096;  // of one answer: what a small model can still read beside the catalogue

// Before the caller's own deadline, so that the server can still be told that nobody waits.
constexpr std::chrono::milliseconds kMargin{700};

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string plain(const std::string& name) {
  if (std::none_of(name.begin(), name.end(), letter_or_digit)) return "";
  std::string result;
  for (const char c : name) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;  // one _ for one character
    if (!continues) result += letter_or_digit(c) || c == '-' ? c : '_';
  }
  return result;
}

std::string shown(const std::string& name) {
  std::string text(first_characters(name, 60));
  for (char& c : text) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return text;
}

class McpTool final : public assistant::Tool {
 public:
  McpTool(std::shared_ptr<Client> client, std::string server, bool trusted, ToolInfo info, Json declaration)
      : client_(std::move(client)),
        server_(std::move(server)),
        risk_(trusted && info.read_only ? Risk::kHarmless : Risk::kAsksFirst),
        info_(std::move(info)),
        declaration_(std::move(declaration)) {}

  const Json& declaration() const override { return declaration_; }
  Risk risk(const Json&) const override { return risk_; }
  std::chrono::milliseconds time_limit() const override { return std::chrono::seconds(30); }

  Outcome call(const Json& arguments, const CallContext& context) override {
    const Answer answer = client_->call(info_, arguments, {context.deadline - kMargin, context.stop});
    if (answer.problem) return assistant::failed(*answer.problem);
    Outcome outcome;  // no phrase: the model puts it into words
    if (answer.is_error) outcome = assistant::failed(problem::kFailed, "the tool says that it failed");
    outcome.data = foreign_text(server_, answer.text);
    if (answer.parts_left_out > 0) outcome.data["parts_left_out"] = answer.parts_left_out;
    return outcome;
  }

 private:
  std::shared_ptr<Client> client_;
  std::string server_;
  Risk risk_;
  ToolInfo info_;
  Json declaration_;
};

}  // namespace

std::string tool_name(const std::string& server, const std::string& tool) {
  const std::string first = plain(server), second = plain(tool);
  if (first.empty() || second.empty()) return "";
  const std::string name = first + "_" + second;
  return name.size() > kMostNameBytes ? "" : name;
}

Json foreign_text(const std::string& server, const std::string& text) {
  Json data = {{"server", server}, {"text", first_characters(text, kMostTextBytes)}};
  if (text.size() > kMostTextBytes) data["cut"] = true;
  return data;
}

NamedTools named_tools(const std::shared_ptr<Client>& client, const std::string& server, bool trusted,
                       const std::vector<ToolInfo>& tools) {
  NamedTools result;
  std::set<std::string> taken;
  for (const ToolInfo& info : tools) {
    const std::string name = tool_name(server, info.name);
    const auto leave_out = [&](const char* why) { result.left_out.push_back(shown(info.name) + ": " + why); };
    if (name.empty()) {
      leave_out("its name has no letters, or more than 64 characters with the server's");
    } else if (json_text(info.parameters).size() > kMostSchemaBytes) {
      leave_out("its schema is larger than 16 KiB");
    } else if (!taken.insert(name).second) {
      leave_out("another tool is called so");
    } else {
      Json declaration = {{"type", "function"},
                          {"function",
                           {{"name", name},
                            {"description", first_characters(info.description, kMostDescriptionBytes)},
                            {"parameters", info.parameters}}}};
      result.tools.push_back(
          std::make_shared<McpTool>(client, server, trusted, info, std::move(declaration)));
    }
  }
  return result;
}

}  // namespace ink::mcp
