-- Requests of wrk with the keys of many clients, in turn. KEYS names the file with a key a line.

local keys = {}
for line in io.lines(os.getenv("KEYS")) do
  keys[#keys + 1] = line
end
local position = 0
local path = "/msi/token?api-version=2019-08-01&resource=https://vault.azure.net"

function request()
  position = position % #keys + 1
  return wrk.format("GET", path, { ["X-IDENTITY-HEADER"] = keys[position] })
end

function done(summary, latency, requests)
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  print(string.format("result %d %d %d %d %d", summary.requests, errors.status, lost, summary.duration, latency:percentile(99)))
end
