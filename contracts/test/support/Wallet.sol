// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {ICredentialRegistry} from "../../src/interfaces/ICredentialRegistry.sol";

/// @title A wallet with one owner, as an institution's multisig would be: signs by ERC-1271, sends by itself
contract Wallet is IERC1271 {
    address private immutable _owner;

    constructor(address owner) {
        _owner = owner;
    }

    function anchor(ICredentialRegistry registry, uint32 issuer, bytes32 root, uint32 size) external {
        registry.anchor(issuer, root, size);
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view override returns (bytes4) {
        (address signer, ECDSA.RecoverError error,) = ECDSA.tryRecoverCalldata(hash, signature);
        bool good = error == ECDSA.RecoverError.NoError && signer == _owner;
        return good ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
