// The endpoints that clients of OpenAI, Anthropic and Ollama know. Each glues four parts: JSON, a dialect
// (services/openai and its neighbours), a model of the library, and the answer.
#pragma once

#include <vector>

#include "server/api/state.h"
#include "server/exchange.h"
#include "services/library/library.h"

namespace ink::server {

// Both have to outlive the routes.
std::vector<Route> api_routes(ModelLibrary& library, ApiState& state);

// The parts of it.
void add_openai_routes(std::vector<Route>& routes, ModelLibrary& library, ApiState& state);
void add_anthropic_routes(std::vector<Route>& routes, ModelLibrary& library, ApiState& state);
void add_ollama_routes(std::vector<Route>& routes, ModelLibrary& library, ApiState& state);
void add_retrieval_routes(std::vector<Route>& routes, ModelLibrary& library, ApiState& state);

}  // namespace ink::server
