// Healthy when this member is the primary. The first time it starts the replica set, which has this member only.
// Runs in mongosh, inside the container; the password comes from the secret's file.
const password = require("fs").readFileSync("/run/secrets/mongodb_password", "utf8").trim();
const admin = connect(`mongodb://mpp:${password}@127.0.0.1:27017/admin?directConnection=true`);
if (!admin.hello().setName) {
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "mongodb:27017" }] });
}
quit(admin.hello().isWritablePrimary ? 0 : 1);
