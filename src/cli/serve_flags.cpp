// See cli/serve_flags.h.
#include "cli/serve_flags.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/mapped_file.h"
#include "base/utf8.h"
#include "services/wire/fields.h"

namespace ink::cli {
namespace {

// 11435 is beside Ollama's 11434, so that both can run; 8080 is llama-server's, and everybody else's.
constexpr uint16_t kDefaultPort = 11435;
constexpr int64_t kDefaultParallel = 4;
constexpr uint64_t kMostKeyFileBytes = 64 << 10;

Status add_key(const std::string& where, const std::string& key, std::vector<std::string>& keys) {
  const bool is_plain = std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 127; });
  if (key.empty() || !is_plain || key.size() > 4096)
    return Error{ErrorKind::kInvalid, where, "printable ASCII without blanks", "something that is no key",
                 ""};
  keys.push_back(key);
  return Done{};
}

// One key a line; empty lines and those that begin with # are passed over.
Status read_keys(const std::string& path, std::vector<std::string>& keys) {
  const auto text = read_text_file(path, kMostKeyFileBytes);
  if (!text.ok()) return text.error();
  const size_t before = keys.size();
  for (size_t begin = 0; begin < text->size();) {
    const size_t end = std::min(text->find('\n', begin), text->size());
    std::string line = text->substr(begin, end - begin);
    begin = end + 1;
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line.starts_with('#')) continue;
    const Status added = add_key(path, line, keys);
    if (!added.ok()) return added.error();
  }
  if (keys.size() == before) return Error{ErrorKind::kInvalid, path, "a key on each line", "none", ""};
  return Done{};
}

void add_transport_flags(Command& command, ServeFlags& flags) {
  const auto environment = [&](CLI::Option* option) { command.from_environment(option); };
  environment(
      command.text("--host", flags.host,
                   "Address to listen on (127.0.0.1), or the path of a Unix socket, which ends in .sock"));
  environment(
      command.integer("--port", flags.port, 0, 65535, "Port (11435, beside Ollama's; 0: a free one)"));
  command.texts("--api-key", flags.keys,
                "Key that requests need; repeatable. Other programs here can read it: rather use a file");
  environment(command.text("--api-key-file", flags.key_file, "File with a key on each line", "FILE"));
  command.toggle("--no-key", flags.without_key, "Let other machines in without a key");
  command.texts("--allow-host", flags.allowed_hosts,
                "Another name that clients may call this server by, HOST or HOST:PORT; repeatable");
  command.texts("--allow-origin", flags.allowed_origins,
                "Pages from elsewhere that may use this server, as https://chat.example.org; repeatable");
  environment(command.integer("--threads-http", flags.threads_http, 1, 64, "Threads for quick requests (2)"));
  environment(command.text("--max-body", flags.max_body, "Largest request (32M)", "SIZE"));
  environment(command.integer("--max-waiting", flags.max_waiting, 0, 10000,
                              "Requests that may wait for their turn; the next one gets 503 (64)"));
  environment(command.integer("--grace", flags.grace, 0, 86400,
                              "Seconds that what runs may take to end when the server is stopped (10)"));
  command.toggle("--no-webui", flags.without_page, "Do not serve the page");
}

}  // namespace

void add_serve_flags(Command& command, ServeFlags& flags) {
  const auto environment = [&](CLI::Option* option) { command.from_environment(option); };
  add_engine_flags(command, flags.model);
  environment(command.text("-a,--alias", flags.alias, "Another name for the model", "NAME"));
  environment(command.text("--chat-template", flags.chat_template,
                           "Chat format instead of the models' own: " + chat_format_names()));
  environment(command.integer("--parallel", flags.parallel, 1, 256,
                              "Requests that are answered at the same time (also -np; 4)"));
  environment(command.integer("--cache-tokens", flags.cache_tokens, 0, std::numeric_limits<int32_t>::max(),
                              "Tokens kept by all requests together (0: a context for each of --parallel)"));
  environment(command.text("--models-memory", flags.models_memory,
                           "Most memory for all loaded models together (four fifths of the memory)", "SIZE"));
  environment(command.text("--keep-alive", flags.keep_alive,
                           "How long an unused model stays loaded: 5m, 1h30m, -1 for good (5m)", "TIME"));
  command.toggle("--explain-cache", flags.explain_cache,
                 "Every answer says where its prompt diverged from what was kept");
  add_transport_flags(command, flags);
}

Result<uint64_t> parse_size(const std::string& where, const std::string& text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit = ascii_lower(std::string(end, text.data() + text.size()));
  unit.erase(0, unit.find_first_not_of(' '));
  for (const char* ending : {"ib", "b"})
    if (unit.ends_with(ending)) unit.erase(unit.size() - std::string(ending).size());
  const size_t power = unit.empty() ? 0 : std::string("kmgt").find(unit) + 1;
  const int shift = static_cast<int>(power) * 10;
  if (error != std::errc() || unit.size() > 1 || power > 4 || number > (UINT64_MAX >> shift))
    return Error{ErrorKind::kInvalid, where, "a size such as 512M or 8G", "'" + text + "'", ""};
  return number << shift;
}

Result<server::ServerOptions> server_options(const ServeFlags& flags) {
  server::ServerOptions options;
  options.host = flags.host.value_or("127.0.0.1");
  options.port = static_cast<uint16_t>(flags.port.value_or(kDefaultPort));
  options.without_key = flags.without_key;
  options.allowed_hosts = flags.allowed_hosts;
  options.allowed_origins = flags.allowed_origins;
  for (const std::string& key : flags.keys) {
    const Status added = add_key("--api-key", key, options.keys);
    if (!added.ok()) return added.error();
  }
  if (flags.key_file) {
    const Status read = read_keys(*flags.key_file, options.keys);
    if (!read.ok()) return read.error();
  }
  if (flags.max_body) {
    const auto size = parse_size("--max-body", *flags.max_body);
    if (!size.ok()) return size.error();
    options.limits.body_bytes = *size;
    options.limits.all_bodies_bytes = std::max(options.limits.all_bodies_bytes, 2 * *size);
  }
  // Who waits has a thread, because the scheduler knows who is served first, and the line before the threads
  // does not. They are started when they are needed.
  const int64_t parallel = flags.parallel.value_or(kDefaultParallel);
  options.slow_threads = static_cast<int>(parallel + flags.max_waiting.value_or(64));
  options.limits.waiting = 0;
  options.limits.connections = std::max<size_t>(512, 2 * static_cast<size_t>(options.slow_threads));
  options.quick_threads = static_cast<int>(flags.threads_http.value_or(2));
  return options;
}

Result<LibraryOptions> library_options(const ServeFlags& flags) {
  LibraryOptions options;
  options.engine = engine_options(flags.model);
  options.engine.max_sequences = static_cast<int>(flags.parallel.value_or(kDefaultParallel));
  options.engine.cache_tokens = flags.cache_tokens.value_or(0);
  options.default_model = flags.model.model.value_or("");
  options.alias = flags.alias.value_or("");
  if (flags.chat_template) {
    options.chat_format = find_chat_format(*flags.chat_template);
    if (!options.chat_format)
      return Error{ErrorKind::kInvalid, "--chat-template", chat_format_names(),
                   "'" + *flags.chat_template + "'", ""};
  }
  if (flags.models_memory) {
    const auto size = parse_size("--models-memory", *flags.models_memory);
    if (!size.ok()) return size.error();
    options.budget_bytes = *size;
  }
  if (flags.keep_alive) {
    const auto time = wire::parse_duration(Json(*flags.keep_alive));
    if (!time)
      return Error{ErrorKind::kInvalid, "--keep-alive", "a time such as 10m, or -1",
                   "'" + *flags.keep_alive + "'", ""};
    options.keep_alive = *time;
  }
  return options;
}

std::chrono::milliseconds grace_of(const ServeFlags& flags) {
  return std::chrono::seconds(flags.grace.value_or(10));
}

}  // namespace ink::cli
