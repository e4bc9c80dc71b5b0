"""What wrk is told in Lua, where one fixed request is not enough."""

PIPELINED = """
init = function(args)
  local batch = {}
  for i = 1, 16 do batch[i] = wrk.format() end
  pipelined = table.concat(batch)
end
request = function() return pipelined end
"""

MANY = """
init = function(args)
  requests = {}
  for i = 0, 9999 do
    requests[i + 1] = wrk.format("GET", string.format("/many/%02d/%02d.txt", math.floor(i / 100), i % 100))
  end
end
request = function() return requests[math.random(#requests)] end
"""

UPLOAD = """
init = function(args) upload = wrk.format("POST", nil, nil, string.rep("x", 2 * 1024 * 1024)) end
request = function() return upload end
"""

# Ends every wrk script: the exact numbers behind what `wrk --latency` prints rounded, and one percentile more.
REPORT = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('RESULT {"requests": %.0f, "bytes": %.0f, "us": %.0f, "p50_us": %.0f, "p99_us": %.0f, ' ..
    '"p999_us": %.0f, "socket_errors": %.0f, "status_errors": %.0f}\\n', summary.requests, summary.bytes,
    summary.duration, latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    e.connect + e.read + e.write + e.timeout, e.status))
end
"""
