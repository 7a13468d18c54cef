-- For wrk: each thread posts one row and compares every response with scikit-learn's prediction.
-- Arguments after `--`: path, key of the list of predictions, tolerance, then the body and the expected
-- prediction of each thread.
-- At the end it writes one line to stderr: "RESULT" and a JSON object.

local threads = {}

function setup(thread)
  thread:set("index", #threads)
  table.insert(threads, thread)
end

function init(args)
  local body = args[4 + 2 * index]
  local headers = { ["Content-Type"] = "application/json" }
  expected = tonumber(args[5 + 2 * index])
  margin = tonumber(args[3]) * math.max(math.abs(expected), 1e-9)
  pattern = '"' .. args[2] .. '":%s*%[([^%]]*)%]'
  text = wrk.format("POST", args[1], headers, body)
  right, wrong, refused, example = 0, 0, 0, ""
end

function request()
  return text
end

function response(status, _, body)
  if status ~= 200 then
    refused = refused + 1
    example = status .. " " .. body
    return
  end
  local answer = tonumber(string.match(body, pattern) or nil)
  -- The comparison is also false for nil and NaN.
  if answer and math.abs(answer - expected) <= margin then
    right = right + 1
  else
    wrong = wrong + 1
    example = body
  end
end

function done(summary, latency)
  local sum = { right = 0, wrong = 0, refused = 0 }
  local example = ""
  for _, thread in ipairs(threads) do
    for name in pairs(sum) do
      sum[name] = sum[name] + thread:get(name)
    end
    if thread:get("example") ~= "" then example = thread:get("example") end
  end
  local errors = summary.errors
  io.stderr:write(string.format(
    'RESULT {"right":%d,"wrong":%d,"refused":%d,"errors":%d,"seconds":%.6f,"p50":%.6f,"p99":%.6f}\n',
    sum.right, sum.wrong, sum.refused, errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6
  ))
  if example ~= "" then
    io.stderr:write("EXAMPLE ", (string.sub(example, 1, 200):gsub("%s+", " ")), "\n")
  end
end
