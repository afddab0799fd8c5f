// See server/page.h.
#include "server/page.h"

#include <cstdint>
#include <cstdio>

namespace ink::server {
namespace {

constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string_view page_type(std::string_view path) {
  static constexpr std::string_view kTypes[][2] = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".webmanifest", "application/manifest+json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
      {".txt", "text/plain; charset=utf-8"},
  };
  for (const auto& [ending, type] : kTypes)
    if (path.ends_with(ending)) return type;
  return "application/octet-stream";
}

// FNV-1a: tells one build's file from another's; nobody attacks a cache of his own.
std::string entity_tag(std::string_view content) {
  uint64_t hash = 14695981039346656037u;
  for (const char c : content) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  char text[24];
  std::snprintf(text, sizeof text, "\"%016llx\"", static_cast<unsigned long long>(hash));
  return text;
}

std::string sent_header(const Request& request, const char* name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? std::string() : found->second;
}

Endpoint file_endpoint(const embedded::File& file) {
  Reply whole;
  whole.content_type = page_type(file.path);
  whole.headers["etag"] = entity_tag(file.content);
  whole.headers["content-security-policy"] = kPagePolicy;
  // What Vite puts into assets/ has its hash in its name.
  whole.headers["cache-control"] =
      file.path.starts_with("assets/") ? "public, max-age=31536000, immutable" : "no-cache";
  return [whole, content = file.content](const Request& request, Responder& responder) {
    Reply reply = whole;
    if (sent_header(request, "if-none-match").find(whole.headers.at("etag")) != std::string::npos)
      reply.status = 304;
    else
      reply.body = content;
    responder.reply(std::move(reply));
  };
}

// For browsers the page; clients of Ollama ask whether it is running.
Endpoint front_endpoint(Endpoint page) {
  return [page = std::move(page)](const Request& request, Responder& responder) {
    if (page && sent_header(request, "accept").find("text/html") != std::string::npos)
      return page(request, responder);
    Reply reply{200, "text/plain; charset=utf-8", "Inkstone is running", {}};
    reply.headers["vary"] = "accept";
    responder.reply(std::move(reply));
  };
}

Route quick_route(std::string path, Endpoint endpoint, bool needs_key) {
  return {"GET", std::move(path), std::move(endpoint), needs_key, false};
}

}  // namespace

std::vector<Route> page_routes(const std::vector<embedded::File>& files) {
  std::vector<Route> routes;
  Endpoint index;
  for (const embedded::File& file : files) {
    routes.push_back(quick_route("/" + std::string(file.path), file_endpoint(file), false));
    if (file.path == "index.html") index = routes.back().endpoint;
  }
  routes.push_back(quick_route("/", front_endpoint(index), false));
  return routes;
}

Route metrics_route(std::shared_ptr<const Metrics> metrics) {
  const auto answer = [metrics = std::move(metrics)](const Request&, Responder& responder) {
    responder.reply({200, "text/plain; version=0.0.4; charset=utf-8", metrics->text(), {}});
  };
  return quick_route("/metrics", answer, true);
}

Route openapi_route() {
  const auto answer = [](const Request&, Responder& responder) {
    responder.reply({200, "application/json", std::string(embedded::openapi()), {}});
  };
  return quick_route("/openapi.json", answer, false);
}

}  // namespace ink::server
