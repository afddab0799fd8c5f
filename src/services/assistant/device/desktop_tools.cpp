// See services/assistant/device/desktop_tools.h.
#include "services/assistant/device/desktop_tools.h"

#include <unistd.h>

#include <cstdlib>

#include "services/assistant/device/desktop.h"

namespace ink::assistant {
namespace {

namespace fs = std::filesystem;

Outcome open_app(const Json& arguments, const CallContext&) {
  const auto words = arguments["app"].get<std::string>();
  const std::vector<Application> all = find_applications(application_folders());
  const Application* application = choose_application(all, words);
  if (application == nullptr) return failed("no_such_app", "", {{"app", words}});
  if (!start_detached(application->command)) return failed(problem::kFailed, "it could not be started");
  return done("open_app", {{"app", words}}, {{"application", application->name}});
}

// A file that is itself a program is never opened: "open" must not mean "run".
bool is_program(const fs::path& path) {
  std::error_code error;
  if (path.extension() == ".desktop") return true;
  return fs::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0;
}

Outcome open_file(const Json& arguments, const CallContext&) {
  fs::path path = arguments["path"].get<std::string>();
  const char* home = std::getenv("HOME");
  if (path.string().starts_with("~/") && home != nullptr) path = fs::path(home) / path.string().substr(2);
  std::error_code error;
  path = fs::canonical(path, error);
  if (error) return failed("no_such_file");
  if (is_program(path)) return failed(problem::kRefused, "a program");
  if (!start_detached({"xdg-open", path.string()})) return failed(problem::kFailed, "no xdg-open");
  return done("open_file");
}

Json file_declaration() {
  return make_declaration(
      "open_file", "Open a file or folder in its usual application.",
      {{"path", {{"type", "string"}, {"minLength", 1}, {"description", "Path of the file."}}}},
      Json::array({"path"}));
}

}  // namespace

Tools desktop_tools(const std::vector<Json>& catalogue) {
  Tools tools;
  add_declared(tools, catalogue, "open_app", open_app);
  tools.push_back(make_tool(file_declaration(), open_file));
  return tools;
}

}  // namespace ink::assistant
