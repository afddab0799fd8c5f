// Ollama's endpoints (server/api/routes.h).
#include <sys/stat.h>

#include <chrono>

#include "server/api/answering.h"
#include "server/api/routes.h"
#include "services/library/model_names.h"
#include "services/ollama/chat.h"
#include "services/ollama/models.h"

namespace ink::server {
namespace {

ollama::ListedModel listed(const FoundModel& model) {
  struct stat status {};
  const bool known = !model.path.empty() && stat(model.path.c_str(), &status) == 0;
  return {model, known ? static_cast<int64_t>(status.st_mtime) : 0};
}

// Loads, or unloads, and answers nothing else.
void load_only(const ApiParts& parts, const ollama::AskedOllama& asked, bool chat, const wire::Moment& moment,
               Responder& responder) {
  const AnswerRequest& wanted = asked.asked.requests.front();
  std::string name = wanted.model.empty() ? parts.library.default_name() : wanted.model;
  if (asked.unload) {
    const auto model = match_model(parts.library.available(), name);
    if (!model.ok()) return reply_failure(responder, model.error(), wire::Stage::kModel, ollama::error_body);
    parts.library.unload(name);
  } else {
    const auto model = parts.library.acquire(name, wanted.keep_alive, &responder.gone());
    if (!model.ok()) return reply_failure(responder, model.error(), wire::Stage::kModel, ollama::error_body);
    name = (*model)->name;
  }
  reply_json(responder, ollama::load_reply(name, asked, chat, moment));
}

using OllamaParser = Result<ollama::AskedOllama> (*)(const Json&, const wire::Moment&);

Endpoint generating_endpoint(const ApiParts& parts, OllamaParser parse, bool chat) {
  return [parts, parse, chat](const Request& request, Responder& responder) {
    const auto body = read_body(request, responder, ollama::error_body);
    if (!body) return;
    const wire::Moment moment = moment_of(request);
    auto asked = parse(*body, moment);
    if (!asked.ok())
      return reply_failure(responder, asked.error(), wire::Stage::kRequest, ollama::error_body);
    if (asked->only_load) return load_only(parts, *asked, chat, moment, responder);
    answer(parts, std::move(asked->asked), responder, ollama::error_body);
  };
}

void show(const ApiParts& parts, const Request& request, Responder& responder) {
  const auto fail = [&](const Error& error, wire::Stage stage) {
    reply_failure(responder, error, stage, ollama::error_body);
  };
  const auto body = read_body(request, responder, ollama::error_body);
  if (!body) return;
  const auto name = ollama::parse_show(*body);
  if (!name.ok()) return fail(name.error(), wire::Stage::kRequest);
  const auto model = match_model(parts.library.available(), *name);
  if (!model.ok()) return fail(model.error(), wire::Stage::kModel);
  const auto checkpoint = open_model(model->path.string());
  if (!checkpoint.ok()) return fail(checkpoint.error(), wire::Stage::kModel);
  const auto summary = summarize(*checkpoint, {});
  if (!summary.ok()) return fail(summary.error(), wire::Stage::kModel);
  reply_json(responder, ollama::show_json(listed(*model), *summary));
}

void embed_texts(const ApiParts& parts, const Request& request, Responder& responder) {
  const auto fail = [&](const Error& error, wire::Stage stage) {
    reply_failure(responder, error, stage, ollama::error_body);
  };
  using Steady = std::chrono::steady_clock;
  const auto seconds_until = [](Steady::time_point from, Steady::time_point to) {
    return std::chrono::duration<double>(to - from).count();
  };
  const auto body = read_body(request, responder, ollama::error_body);
  if (!body) return;
  const auto call = ollama::parse_embed(*body);
  if (!call.ok()) return fail(call.error(), wire::Stage::kRequest);
  const auto start = Steady::now();
  const auto model = parts.library.acquire(call->model, call->keep_alive, &responder.gone());
  if (!model.ok()) return fail(model.error(), wire::Stage::kModel);
  const auto loaded = Steady::now();
  const double load_seconds = seconds_until(start, loaded);
  Result<Embeddings> embeddings = Embeddings();
  if (!call->request.inputs.empty()) embeddings = embed(**model, call->request, responder.gone());
  if (!embeddings.ok()) return fail(embeddings.error(), wire::Stage::kAnswer);
  if (parts.state.metrics != nullptr) {
    AnswerUsage usage;
    usage.prompt_tokens = embeddings->prompt_tokens;
    parts.state.metrics->count_answer((*model)->name, usage);
  }
  reply_json(responder, ollama::embed_json(*embeddings, (*model)->name, seconds_until(loaded, Steady::now()),
                                           load_seconds));
}

void add_listing_routes(std::vector<Route>& routes, const ApiParts& parts) {
  ModelLibrary& library = parts.library;
  routes.push_back({"GET", "/api/tags",
                    [&library](const Request&, Responder& responder) {
                      std::vector<ollama::ListedModel> models;
                      for (const FoundModel& model : library.available()) models.push_back(listed(model));
                      reply_json(responder, ollama::tags_json(models));
                    },
                    true, false});
  routes.push_back({"GET", "/api/ps",
                    [&library](const Request&, Responder& responder) {
                      reply_json(responder, ollama::ps_json(library.loaded()));
                    },
                    true, false});
  routes.push_back({"GET", "/api/version",
                    [parts](const Request&, Responder& responder) {
                      reply_json(responder, {{"version", parts.state.version}});
                    },
                    true, false});
}

}  // namespace

void add_ollama_routes(std::vector<Route>& routes, ModelLibrary& library, ApiState& state) {
  const ApiParts parts{library, state};
  routes.push_back({"POST", "/api/chat", generating_endpoint(parts, ollama::parse_chat, true)});
  routes.push_back({"POST", "/api/generate", generating_endpoint(parts, ollama::parse_generate, false)});
  routes.push_back({"POST", "/api/embed", [parts](const Request& request, Responder& responder) {
                      embed_texts(parts, request, responder);
                    }});
  routes.push_back({"POST", "/api/show", [parts](const Request& request, Responder& responder) {
                      show(parts, request, responder);
                    }});
  add_listing_routes(routes, parts);
}

}  // namespace ink::server
