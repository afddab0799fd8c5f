// Embeddings and reranking (server/api/routes.h).
#include "server/api/answering.h"
#include "server/api/routes.h"
#include "services/openai/parts.h"
#include "services/openai/retrieval.h"

namespace ink::server {
namespace {

// Parses, finds the model, computes, replies: what both have in common.
template <typename Call, typename Parse, typename Compute, typename Say>
Endpoint retrieving_endpoint(const ApiParts& parts, Parse parse, Compute compute, Say say) {
  return [=](const Request& request, Responder& responder) {
    const auto fail = [&](const Error& error, wire::Stage stage) {
      reply_failure(responder, error, stage, openai::error_body);
    };
    const auto body = read_body(request, responder, openai::error_body);
    if (!body) return;
    const Result<Call> call = parse(*body);
    if (!call.ok()) return fail(call.error(), wire::Stage::kRequest);
    const auto model = parts.library.acquire(call->model, call->keep_alive, &responder.gone());
    if (!model.ok()) return fail(model.error(), wire::Stage::kModel);
    const auto computed = compute(**model, call->request, responder.gone());
    if (!computed.ok()) return fail(computed.error(), wire::Stage::kAnswer);
    if (parts.state.metrics != nullptr) {
      AnswerUsage usage;
      usage.prompt_tokens = computed->prompt_tokens;
      parts.state.metrics->count_answer((*model)->name, usage);
    }
    reply_json(responder, say(*call, *computed, (*model)->name, request.id));
  };
}

}  // namespace

void add_retrieval_routes(std::vector<Route>& routes, ModelLibrary& library, ApiState& state) {
  const ApiParts parts{library, state};
  const auto say_embeddings = [](const openai::EmbeddingCall& call, const Embeddings& embeddings,
                                 const std::string& model, const std::string&) {
    return openai::embedding_reply(call, embeddings, model);
  };
  routes.push_back(
      {"POST", "/v1/embeddings",
       retrieving_endpoint<openai::EmbeddingCall>(parts, openai::parse_embedding, embed, say_embeddings)});
  const Endpoint ranking =
      retrieving_endpoint<openai::RerankCall>(parts, openai::parse_rerank, rerank, openai::rerank_reply);
  routes.push_back({"POST", "/v1/rerank", ranking});
  routes.push_back(
      {"POST", "/rerank", ranking});  // without the version, as some clients of Jina's wire have it
}

}  // namespace ink::server
