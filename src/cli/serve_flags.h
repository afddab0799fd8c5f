// The flags of `inkstone serve`, under llama.cpp's names where it has them, and what they mean for the
// transport and the library of models.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "server/options.h"
#include "services/library/library.h"

namespace ink::cli {

struct ServeFlags {
  ModelFlags model;
  std::optional<std::string> alias;
  std::optional<std::string> chat_template;
  std::optional<int64_t> parallel;
  std::optional<int64_t> cache_tokens;
  std::optional<std::string> models_memory;
  std::optional<std::string> keep_alive;

  std::optional<std::string> host;
  std::optional<int64_t> port;
  std::vector<std::string> keys;
  std::optional<std::string> key_file;
  bool without_key = false;
  std::vector<std::string> allowed_hosts;
  std::vector<std::string> allowed_origins;
  std::optional<int64_t> threads_http;
  std::optional<std::string> max_body;
  std::optional<int64_t> max_waiting;
  std::optional<int64_t> grace;
  bool without_page = false;
  bool explain_cache = false;
};
void add_serve_flags(Command& command, ServeFlags& flags);

// Errors: kInvalid for what is not a key, a size, a duration or a format; those of reading the file of keys.
Result<server::ServerOptions> server_options(const ServeFlags& flags);
Result<LibraryOptions> library_options(const ServeFlags& flags);
std::chrono::milliseconds grace_of(const ServeFlags& flags);

// "8G", "512 MiB", "1000000". Errors: kInvalid with `where`.
Result<uint64_t> parse_size(const std::string& where, const std::string& text);

}  // namespace ink::cli
