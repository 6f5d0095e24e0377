/** In a file of its own, because it is loaded on first use and bundled apart: one function of ten reads files. */
export { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
