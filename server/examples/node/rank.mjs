// Scores features, then ranks models for samples that it sends, and watches the ranking.
//   npm install && node rank.mjs HOST:PORT MODEL_URI...
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { randomUUID } from "node:crypto";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

// A refusal says in its details what was expected.
process.on("uncaughtException", (error) => {
  console.error(error.details ?? error);
  process.exit(1);
});

const [address = "localhost:50051", ...models] = process.argv.slice(2);
const protos = join(dirname(fileURLToPath(import.meta.url)), "../../../proto");
const services = ["dataset", "ranking", "scoring", "system"];
const definition = loader.loadSync(
  services.map((name) => `transferscore/v1/${name}_service.proto`),
  { includeDirs: [protos], longs: Number, enums: String, oneofs: true, arrays: true },
);
const { v1 } = grpc.loadPackageDefinition(definition).transferscore;
const open = (service) => new v1[service](address, grpc.credentials.createInsecure());
const deadline = () => ({ deadline: Date.now() + 60_000 });
const call = (client, method, request) =>
  new Promise((resolve, reject) =>
    client[method](request, deadline(), (error, answer) => (error ? reject(error) : resolve(answer))),
  );

// 40 rows of 4 features: the class shifts the first.
const rows = Array.from({ length: 40 }, (_, i) => [(i % 2) + Math.sin(i), Math.cos(i), i % 3, i % 5]);
const features = Float32Array.from(rows.flat());
const labels = BigInt64Array.from(rows.map((_, i) => BigInt(i % 2)));
const bytes = (array) => Buffer.from(array.buffer);

const scores = await call(open("ScoringService"), "ScoreFeatures", {
  features: { dataType: "DATA_TYPE_FLOAT32", shape: [40, 4], data: bytes(features) },
  labels: { dataType: "DATA_TYPE_INT64", shape: [40], data: bytes(labels) },
  scores: ["logme", "h_score"],
});
for (const { score, value } of scores.results) console.log(`${score} ${value}`);

if (models.length > 0) {
  const parent = "projects/default";
  const datasets = open("DatasetService");
  const dataset = { displayName: "numbers", format: "SAMPLES" };
  const upload = await call(datasets, "StartUpload", { parent, dataset, requestId: randomUUID() });
  const sent = await new Promise((resolve, reject) => {
    const stream = datasets.UploadSamples(deadline(), (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
    const samples = rows.map((row, i) => ({
      tensor: { dataType: "DATA_TYPE_FLOAT32", shape: [4], data: bytes(Float32Array.from(row)) },
      className: i % 2 ? "odd" : "even",
    }));
    stream.write({ upload: upload.name, samples: samples.slice(0, 25) });
    stream.write({ offset: 25, samples: samples.slice(25) });
    stream.end();
  });
  console.log(`sent ${sent.committedSamples} samples`);
  const { name } = await call(datasets, "FinalizeUpload", { name: upload.name });

  const rankings = open("RankingService");
  const operation = await call(rankings, "CreateRanking", {
    parent,
    ranking: { spec: { dataset: name, models, scores: ["logme"] } },
    requestId: randomUUID(),
  });
  const watched = rankings.WatchRanking({ name: operation.name.replace("operations", "rankings") });
  for await (const { sequence, event, ...body } of watched) {
    if (event === "candidate") console.log(`${sequence} ${body.candidate.model} is done`);
    if (event === "failure") console.log(`${sequence} ${body.failure.model}: ${body.failure.message}`);
    if (event === "final") {
      for (const { rank, model, predicted } of body.final.candidates)
        console.log(`${rank}. ${model} ${predicted.metric} ${predicted.value}`);
      console.log(body.final.state);
    }
  }
}
