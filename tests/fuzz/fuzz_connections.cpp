// connections.json from any bytes. What is read can be changed, saved and read again, and says the same then;
// fields that are not known here are still there.
#include <unistd.h>
#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include "services/connections/connections.h"
#include "services/connections/private_file.h"

namespace {

using namespace ink;

void require(bool condition) {
  if (!condition) std::abort();
}

// A folder of this process's own, removed at its end.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("ink_fuzz_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void require_equal(const McpServer& a, const McpServer& b) {
  require(a.name == b.name && a.command == b.command && a.environment == b.environment);
  require(a.folder == b.folder && a.url == b.url && a.headers == b.headers);
  require(a.trusted == b.trusted && a.disabled == b.disabled);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  static const Folder folder;
  const auto file = folder.path() / "connections.json";
  require(write_private_file(file, text).ok());
  auto connections = Connections::read(folder.path());
  if (!connections.ok()) {
    require(connections.error().message().size() > 10);
    return 0;
  }
  const auto servers = connections->mcp_servers();
  for (const McpServer& server : servers) {
    require(server.command.empty() != server.url.empty());
    connections->set(server);  // the same again
  }
  if (connections->home_assistant()) connections->set(HomeAssistantServer(*connections->home_assistant()));
  require(connections->save().ok());
  const auto again = Connections::read(folder.path());
  require(again.ok() && again->mcp_servers().size() == servers.size());
  for (size_t i = 0; i < servers.size(); ++i) require_equal(again->mcp_servers()[i], servers[i]);
  require(again->home_assistant_is_wrong() == connections->home_assistant_is_wrong());
  require(again->home_assistant().has_value() == connections->home_assistant().has_value());
  return 0;
}
