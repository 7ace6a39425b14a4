// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry} from "../../src/interfaces/ICredentialRegistry.sol";
import {Credential} from "./Trees.sol";

/// @title A contract that relies on the registry: it admits who has a good credential of one issuer
contract Admission {
    ICredentialRegistry private immutable _registry;
    uint32 private immutable _issuer;

    mapping(bytes32 credentialHash => bool) public admitted;

    constructor(ICredentialRegistry registry, uint32 issuer) {
        _registry = registry;
        _issuer = issuer;
    }

    /// @dev No result to forget to look at: what is wrong stops the call.
    function admit(bytes32 root, Credential calldata credential, uint32 leafIndex, bytes32[] calldata path) external {
        _registry.verify(
            _issuer,
            root,
            credential.salt,
            credential.list,
            credential.statusIndex,
            credential.credentialHash,
            leafIndex,
            path
        );
        admitted[credential.credentialHash] = true;
    }
}
