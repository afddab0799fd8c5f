// See services/assistant/device/desktop.h.
#include "services/assistant/device/desktop.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/mapped_file.h"
#include "services/assistant/device/terms.h"

namespace ink::assistant {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostEntryBytes = 1 << 20;
constexpr size_t kMostEntries = 5000;

std::string unescaped(std::string_view value) {
  std::string result;
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\' || i + 1 == value.size()) {
      result += value[i];
      continue;
    }
    const char c = value[++i];
    result += c == 's' ? ' ' : c == 'n' ? '\n' : c == 't' ? '\t' : c;
  }
  return result;
}

// Exec as words: quotes and backslashes as the specification has them, field codes (%f, %U …) left out.
std::vector<std::string> command_words(std::string_view exec) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  bool any = false;
  for (size_t i = 0; i < exec.size(); ++i) {
    const char c = exec[i];
    if (c == '"') {
      quoted = !quoted;
      any = true;
    } else if (c == '\\' && quoted && i + 1 < exec.size()) {
      word += exec[++i];
    } else if (c == '%' && i + 1 < exec.size()) {
      if (exec[++i] == '%') word += '%';
    } else if (c == ' ' && !quoted) {
      if (any || !word.empty()) words.push_back(word);
      word.clear();
      any = false;
    } else {
      word += c;
    }
  }
  if (any || !word.empty()) words.push_back(word);
  return words;
}

void take_line(std::string_view key, const std::string& value, Application& application,
               std::vector<std::string>& generic, bool& usable) {
  if (key == "Name") application.name = value;
  if (key == "Name" || key.starts_with("Name[")) application.names.push_back(value);
  if (key == "GenericName" || key.starts_with("GenericName[")) generic.push_back(value);
  if (key == "Exec") application.command = command_words(value);
  const bool unwanted = (key == "Type" && value != "Application") ||
                        ((key == "NoDisplay" || key == "Hidden" || key == "Terminal") && value == "true");
  if (unwanted) usable = false;
}

}  // namespace

std::optional<Application> read_desktop_entry(std::string_view text) {
  Application application;
  std::vector<std::string> generic;
  bool usable = true;
  bool in_group = false;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('[')) in_group = line == "[Desktop Entry]";
    const size_t equals = line.find('=');
    if (!in_group || line.starts_with('#') || equals == std::string_view::npos) continue;
    std::string_view key = line.substr(0, equals);
    while (key.ends_with(' ')) key.remove_suffix(1);
    std::string_view value = line.substr(equals + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    take_line(key, unescaped(value), application, generic, usable);
  }
  if (!usable || application.name.empty() || application.command.empty()) return std::nullopt;
  application.own_names = application.names.size();
  application.names.insert(application.names.end(), generic.begin(), generic.end());
  return application;
}

std::vector<fs::path> application_folders() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  std::vector<fs::path> folders;
  const std::string home = variable("HOME");
  if (const std::string own = variable("XDG_DATA_HOME"); !own.empty())
    folders.push_back(fs::path(own) / "applications");
  else if (!home.empty())
    folders.push_back(fs::path(home) / ".local/share/applications");
  std::string shared = variable("XDG_DATA_DIRS");
  if (shared.empty()) shared = "/usr/local/share:/usr/share";
  for (size_t begin = 0; begin < shared.size();) {
    const size_t end = std::min(shared.find(':', begin), shared.size());
    if (end > begin) folders.push_back(fs::path(shared.substr(begin, end - begin)) / "applications");
    begin = end + 1;
  }
  return folders;
}

std::vector<Application> find_applications(const std::vector<fs::path>& folders) {
  std::vector<Application> all;
  size_t seen = 0;
  for (const auto& folder : folders) {
    std::error_code error;
    fs::recursive_directory_iterator entries(folder, fs::directory_options::skip_permission_denied, error);
    for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
      if (++seen > kMostEntries) return all;
      if (entries->path().extension() != ".desktop") continue;
      const auto text = read_text_file(entries->path(), kMostEntryBytes);
      if (!text.ok()) continue;
      if (auto application = read_desktop_entry(*text)) all.push_back(std::move(*application));
    }
  }
  return all;
}

const Application* choose_application(const std::vector<Application>& all, std::string_view words) {
  const std::string wanted = folded(words);
  if (wanted.empty()) return nullptr;
  const Application* best = nullptr;
  size_t best_rank = SIZE_MAX;  // smaller is nearer
  for (const auto& application : all) {
    for (size_t i = 0; i < application.names.size(); ++i) {
      const std::string name = folded(application.names[i]);
      const bool own = i < application.own_names;
      size_t rank = SIZE_MAX;
      if (name == wanted)
        rank = own ? 0 : 1;
      else if (name.find(wanted) != std::string::npos ||
               (!name.empty() && wanted.find(name) != std::string::npos))
        rank = (own ? 2 : 1000) + name.size();
      if (rank < best_rank) {
        best_rank = rank;
        best = &application;
      }
    }
  }
  return best;
}

bool start_detached(const std::vector<std::string>& command, bool keeps_terminal) {
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  // The grandchild tells through a pipe that exec failed; exec itself closes it.
  int fault[2];
  if (::pipe2(fault, O_CLOEXEC) != 0) return false;
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();
    if (::fork() != 0) ::_exit(0);  // the grandchild belongs to nobody here
    const int nothing = ::open("/dev/null", O_RDWR);
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO}) ::dup2(nothing, stream);
    if (!keeps_terminal || ::isatty(STDERR_FILENO) != 1) ::dup2(nothing, STDERR_FILENO);
    ::execvp(arguments[0], arguments.data());
    [[maybe_unused]] const auto told = ::write(fault[1], "x", 1);
    ::_exit(127);
  }
  ::close(fault[1]);
  char byte = 0;
  ssize_t count = 0;
  if (child > 0) {
    ::waitpid(child, nullptr, 0);
    do {
      count = ::read(fault[0], &byte, 1);
    } while (count < 0 && errno == EINTR);
  }
  ::close(fault[0]);
  return child > 0 && count == 0;
}

}  // namespace ink::assistant
