// What `inkstone serve` does: models, endpoints and the page behind one address. The first line on stdout is
// that address, written when it can be used; after it nothing is said, about requests least of all: what
// people ask and are answered is in no log.
#include "serve/serve.h"

#include <sys/stat.h>

#include <memory>

#include "cli/machine.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "serve/stop_signals.h"
#include "server/api/routes.h"
#include "server/http.h"
#include "server/page.h"

namespace ink::serve {
namespace {

// What is the program's: flags, output, exit codes.
using cli::note;
using cli::output;
using cli::Progress;
using cli::report;
using cli::ServeFlags;

std::vector<server::Route> all_routes(ModelLibrary& library, server::ApiState& state, bool with_page) {
  std::vector<server::Route> routes = server::api_routes(library, state);
  for (server::Route& route :
       server::page_routes(with_page ? server::embedded::page() : std::vector<server::embedded::File>()))
    routes.push_back(std::move(route));
  routes.push_back(server::metrics_route(state.metrics));
  routes.push_back(server::openapi_route());
  return routes;
}

// `value_of` (a number of a model), summed over the models in memory.
template <typename ValueOf>
void add_sum(server::Metrics& metrics, const ModelLibrary& library, const char* name, const char* help,
             ValueOf value_of) {
  metrics.add_gauge(name, help, [&library, value_of] {
    double sum = 0;
    for (const LoadedModelInfo& model : library.loaded()) sum += static_cast<double>(value_of(model));
    return sum;
  });
}

void add_library_gauges(server::Metrics& metrics, const ModelLibrary& library) {
  using Info = LoadedModelInfo;
  add_sum(metrics, library, "models_loaded", "Models in memory.", [](const Info&) { return 1; });
  add_sum(metrics, library, "models_bytes", "Memory that they were granted.",
          [](const Info& model) { return model.bytes; });
  add_sum(metrics, library, "kv_cache_bytes", "Keys and values, of answers and kept for prompts to come.",
          [](const Info& model) {
            return static_cast<uint64_t>(model.cache.used + model.cache.kept) * model.cache.page_bytes;
          });
  add_sum(metrics, library, "kv_cache_kept_bytes", "Of these, what goes when its place is needed.",
          [](const Info& model) { return static_cast<uint64_t>(model.cache.kept) * model.cache.page_bytes; });
  add_sum(
      metrics, library, "kv_cache_budget_bytes", "The most that keys and values may take.",
      [](const Info& model) { return static_cast<uint64_t>(model.cache.pages) * model.cache.page_bytes; });
}

void warn_of_open_doors(const ServeFlags& flags, const server::ServerOptions& options) {
  struct stat file {};
  if (flags.key_file && ::stat(flags.key_file->c_str(), &file) == 0 && (file.st_mode & 077) != 0)
    note(*flags.key_file + " can be read by other users: chmod 600 keeps the keys to yourself");
  if (options.without_key && options.keys.empty())
    note("whoever reaches this address may use it without a key");
  for (const std::string& origin : options.allowed_origins)
    if (origin == "*") note("any page that a browser on this machine shows may use this server");
}

}  // namespace

int serve(const ServeFlags& flags) {
  StopSignals signals;  // first: every other thread leaves the signals to its own
  const auto options = cli::server_options(flags);
  if (!options.ok()) return report(options.error());
  auto library_settings = cli::library_options(flags);
  if (!library_settings.ok()) return report(library_settings.error());
  std::unique_ptr<Progress> progress = std::make_unique<Progress>("loading");
  std::atomic<bool> is_first{true};  // later ones are loaded for requests, and nobody looks
  library_settings->progress = [&](const std::string&, double fraction) {
    if (is_first) progress->update(fraction);
  };
  ModelLibrary library(std::move(*library_settings));
  {  // A model that cannot be loaded is better known now than at the first request.
    const auto model = library.acquire("");
    is_first = false;
    progress.reset();
    if (!model.ok()) return report(model.error());
  }

  server::ApiState state;
  state.metrics = std::make_shared<server::Metrics>();
  state.explain_cache = flags.explain_cache;
  state.version = INK_VERSION;
  add_library_gauges(*state.metrics, library);
  cli::EnergyTotal energy;
  state.metrics->add_counter("energy_joules_total",
                             "Used by the processor packages, by whatever ran on them.",
                             [&energy] { return energy.read(); });
  auto server =
      server::HttpServer::start(*options, all_routes(library, state, !flags.without_page), state.metrics);
  if (!server.ok()) return report(server.error());
  warn_of_open_doors(flags, *options);
  signals.watch(**server, cli::grace_of(flags), options->host.ends_with(".sock") ? options->host : "");
  output().write("listening on " + (*server)->address() + "\n");
  output().flush();
  while (!(*server)->wait(std::chrono::minutes(1))) energy.read();
  signals.end();
  return cli::kOk;
}

}  // namespace ink::serve
